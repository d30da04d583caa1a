"""JPEG messages: how large they are before they are decoded, and decoded smaller than they are."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage

from fastdepth_ros.codec import jpeg
from fastdepth_ros.codec.decoder import Decoder
from fastdepth_ros.codec.filler import Room, filler_in, is_natural
from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages import images
from fastdepth_ros.messages.images import read_compressed

ROWS, COLUMNS = np.mgrid[0:45, 0:61]
PICTURE = np.stack((COLUMNS * 4, ROWS * 5, 128 + 60 * np.sin(COLUMNS / 9)), axis=-1).astype(np.uint8)


def jpeg_of(pixels, *settings):
    message = CompressedImage(format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", pixels, settings)[1].tobytes())
    return message


@pytest.mark.parametrize("settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
@pytest.mark.parametrize("pixels", [PICTURE, PICTURE[..., 0]], ids=["colours", "grey"])
def test_a_jpeg_is_decoded_as_much_smaller_as_is_wanted(pixels, settings):
    asked = []
    message = jpeg_of(pixels, *settings, cv2.IMWRITE_JPEG_QUALITY, 100)
    full = read_compressed(message)
    assert (full.reduction, full.width, full.height) == (1, 61, 45)
    for factor in (2, 4, 8):
        picture = read_compressed(message, lambda *size, factor=factor: asked.append(size) or factor)
        picture.check()
        assert (picture.reduction, picture.width, picture.height) == (factor, 61, 45)
        assert picture.pixels.shape == (-(-45 // factor), -(-61 // factor), 3)
        rows, columns = 45 // factor, 61 // factor
        blocks = full.pixels[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, 3)
        np.testing.assert_allclose(picture.pixels[:rows, :columns], blocks.mean(axis=(1, 3)), atol=12)
    assert set(asked) == {(61, 45)}


def test_a_png_is_never_reduced():
    message = CompressedImage(format="png")
    message.data.frombytes(cv2.imencode(".png", PICTURE)[1].tobytes())
    picture = read_compressed(message, lambda *_: 2)
    assert (picture.reduction, picture.width) == (1, 61)
    np.testing.assert_array_equal(picture.pixels, PICTURE[..., ::-1] if picture.order == "rgb" else PICTURE)


def test_an_opencv_that_decodes_to_bgr_alone_shows_the_same(monkeypatch):
    data = jpeg_of(PICTURE)
    newer = read_compressed(data, lambda *_: 2)
    flags, order = images._decoding(0)
    monkeypatch.setattr(images, "_FLAGS", flags)
    monkeypatch.setattr(images, "_DECODED", order)
    older = read_compressed(data, lambda *_: 2)
    assert older.order == "bgr"
    assert np.array_equal(older.pixels, newer.pixels[..., ::-1] if newer.order == "rgb" else newer.pixels)


def size_of(data):
    header = jpeg.read_header(data)
    return header.width, header.height


def is_whole(data):
    try:
        return jpeg.is_whole(data, jpeg.read_header(data))
    except ValueError:
        return False


def test_the_size_of_a_jpeg_is_that_of_its_own_frame():
    data = jpeg_of(PICTURE).data.tobytes()
    thumbnail = jpeg_of(np.zeros((8, 16, 3), np.uint8)).data.tobytes()
    exif = b"\xff\xff\xff\xe1" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail  # after two fill bytes
    assert size_of(data) == (61, 45)
    assert size_of(data[:2] + exif + data[2:]) == (61, 45)
    assert size_of(data[:2] + b"stray" + data[2:]) == (61, 45), "as libjpeg finds it"
    frame = data.index(b"\xff\xc0")
    open_height = data[: frame + 5] + b"\0\0" + data[frame + 7 :]
    twice = data[:frame] + data[frame : frame + 19] + data[frame:]
    no_frame = data[:frame] + data[frame + 19 :]
    for other in (data[:frame], data[: frame + 6], data[:4], data[:2], b"", bytes(99), b"\xff\xd8" + 9 * b"\xff"):
        with pytest.raises(ValueError, match="cut short"):
            jpeg.read_header(other)
    for other in (open_height, twice, no_frame):
        with pytest.raises(ValueError, match=r"size|pixels"):
            jpeg.read_header(other)
    assert not jpeg.read_header(data[:frame] + b"\xff\xc3" + data[frame + 2 :]).reducible


@pytest.mark.parametrize("settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)], ids=["one scan", "several"])
def test_a_jpeg_is_whole_with_the_end_behind_its_last_scan(settings):
    data = jpeg_of(PICTURE, *settings).data.tobytes()
    assert is_whole(data)
    assert is_whole(data + bytes(64))
    assert not any(is_whole(data[:length]) for length in range(len(data)))
    thumbnail = jpeg_of(np.zeros((8, 16, 3), np.uint8)).data.tobytes()
    exif = b"\xff\xe1" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail
    assert is_whole(data[:2] + exif + data[2:])
    assert not is_whole(data[:2] + exif + data[2:-2]), "the end is the thumbnail's"


def verdict(decoder, data):
    try:
        file = decoder.look(data, "it")
        facts = dataclasses.replace(file, data=bytes(file.data))
        return facts, decoder.decode(file, "it", cv2.IMREAD_COLOR).tobytes()
    except ImageError as error:
        return str(error)


def jfif_of(data, version):
    return data[:11] + bytes((version,)) + data[12:]


def test_files_that_begin_alike_are_known_as_if_each_was_read_anew():
    data, large, progressive, grey, small = (
        jpeg_of(pixels, *settings).data.tobytes()
        for pixels, settings in (
            (PICTURE, ()),
            (np.tile(PICTURE, (2, 2, 1)), ()),
            (PICTURE, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
            (PICTURE[..., 0], ()),
            (PICTURE[:8, :16], ()),
        )
    )
    exif = b"\xff\xe1" + (2 + len(small)).to_bytes(2, "big") + small
    framed, frame = data[:2] + exif + data[2:], data.index(b"\xff\xc0")
    larger = large[:2] + exif + large[2:]  # as the one before, far beyond the thumbnail's scan
    lossless = data[:frame] + b"\xff\xc3" + data[frame + 2 :]
    other = jpeg_of(PICTURE[::-1]).data.tobytes()
    files = [
        data,
        other,
        data[:-2],
        data,
        data[:-9],
        data + bytes(9),
        large,
        large,
        grey,
        progressive,
        progressive[:-2],
    ]
    files += [framed, larger, framed, framed[:-2], lossless, lossless, data[:4], b"", data, data[: frame + 6], data]
    files += [progressive[:-2] + b"\xff\xd9", data[: len(data) // 2] + b"\xff\xd9", data]
    filled = data[:-200] + bytes(60) + data[-140:]
    files += [filled, data, filled, large, filled, larger, jfif_of(data, 9), data, jfif_of(data, 9), filled]
    decoder = Decoder()
    for number, file in enumerate(files):
        assert verdict(decoder, file) == verdict(Decoder(), file), number


@given(st.binary(max_size=64))
def test_the_size_of_anything_is_looked_for_without_harm(data):
    try:
        header = jpeg.read_header(b"\xff\xd8" + data)
    except ValueError:
        return
    assert min(header.width, header.height) > 0


RNG = np.random.default_rng(5)
PHOTO = cv2.resize(RNG.integers(0, 256, (30, 40, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
PHOTO = np.clip(PHOTO + RNG.normal(0, 4, PHOTO.shape), 0, 255).astype(np.uint8)
ENCODERS = {
    "usual": (),
    "best": (cv2.IMWRITE_JPEG_QUALITY, 100),
    "worst": (cv2.IMWRITE_JPEG_QUALITY, 5),
    "optimised": (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarted": (cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
}
PLAIN = {
    "photo": PHOTO,
    "grey photo": PHOTO[..., 0],
    "black": np.zeros_like(PHOTO),
    "white": np.full_like(PHOTO, 255),
    "blue": np.full_like(PHOTO, (200, 40, 10)),
    "grey": np.full_like(PHOTO[..., 0], 77),
    "ramp": np.arange(320, dtype=np.float32)[None].repeat(240, 0).astype(np.uint8),
    "boards": ((np.indices((240, 320)).sum(0) % 2) * 255).astype(np.uint8),
    "stripes": ((np.indices((240, 320))[1] // 4 % 2) * 255).astype(np.uint8),
}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("picture", PLAIN)
def test_good_pictures_of_all_encoders_are_read(encoder, picture):
    pixels = PLAIN[picture]
    data = jpeg_of(pixels, *ENCODERS[encoder]).data.tobytes()
    endings = (b"", bytes(64), b"\xff" * 9, b"stray bytes", data)
    for message in (data + ending for ending in endings):
        read = read_compressed(CompressedImage(format="jpeg", data=message))
        assert (read.width, read.height) == (320, 240)
    for padding in (bytes(1), bytes(40), b"\xff" * 40):  # before the end
        read_compressed(CompressedImage(format="jpeg", data=data[:-2] + padding + data[-2:]))


DAMAGE = {
    "cut and closed again": lambda data, at: data[:at] + b"\xff\xd9",
    "a hundred zeros": lambda data, at: data[:at] + bytes(100) + data[at + 100 :],
    "a hundred of one byte": lambda data, at: data[:at] + b"\x77" * 100 + data[at + 100 :],
    "fifteen zeros": lambda data, at: data[:at] + bytes(15) + data[at + 15 :],
    "a hundred ones": lambda data, at: data[:at] + b"\xff" * 100 + data[at + 100 :],
    "a third missing": lambda data, at: data[:at] + data[at + len(data) // 3 :],
    "a marker": lambda data, at: data[:at] + b"\xff\xc4" + data[at:],
}


@pytest.mark.parametrize("encoder", ["usual", "best", "worst", "optimised"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_picture_is_refused_wherever_the_damage_is(encoder, damage):
    for pixels in (PHOTO, PHOTO[..., 0]):
        data = jpeg_of(pixels, *ENCODERS[encoder]).data.tobytes()
        start = jpeg.read_header(data).ends
        for at in np.linspace(start + 50, start + (len(data) - start) * 0.6, 9).astype(int):
            with pytest.raises(ImageError, match=r"corrupt|cut short"):
                read_compressed(CompressedImage(format="jpeg", data=DAMAGE[damage](data, at)))


@pytest.mark.parametrize("encoder", ["restarted", "progressive"])
@pytest.mark.parametrize("damage", ["cut and closed again", "a third missing", "a hundred ones"])
def test_damage_between_restarts_and_scans_is_found(encoder, damage):
    data = jpeg_of(PHOTO, *ENCODERS[encoder]).data.tobytes()
    start = jpeg.read_header(data).ends
    for at in np.linspace(start + 50, start + (len(data) - start) * 0.6, 9).astype(int):
        with pytest.raises(ImageError, match=r"corrupt|cut short"):
            read_compressed(CompressedImage(format="jpeg", data=DAMAGE[damage](data, at)))


@pytest.mark.parametrize("encoder", ["usual", "optimised", "restarted", "progressive"])
def test_zeros_in_a_header_or_in_the_first_of_several_scans_are_found(encoder):
    data = jpeg_of(PHOTO, *ENCODERS[encoder]).data.tobytes()
    whole = read_compressed(CompressedImage(format="jpeg", data=data)).pixels.astype(int)
    header = jpeg.read_header(data)
    end = jpeg.end_of_scan(data, header.ends) - 150 if header.scans else header.ends - 100
    for at in (*range(2, end, 7), 176):
        try:
            damaged = read_compressed(CompressedImage(format="jpeg", data=DAMAGE["a hundred zeros"](data, at))).pixels
        except ImageError:
            continue
        assert (np.abs(damaged - whole) > 16).mean() < 0.01, at


def test_what_is_found_is_found_in_reduced_pictures_too():
    data = jpeg_of(PHOTO).data.tobytes()
    for factor in (2, 4, 8):
        with pytest.raises(ImageError, match="premature end"):
            read_compressed(CompressedImage(format="jpeg", data=data[:5000] + b"\xff\xd9"), lambda *_, f=factor: f)


def test_a_run_is_filler_where_no_plain_wall_makes_it():
    usual = jpeg.read_header(jpeg_of(PHOTO).data.tobytes()).tables
    scan = RNG.integers(1, 255, 999, np.uint8)
    assert filler_in(scan, usual) is None
    scan[201:230] = 0
    assert filler_in(scan, usual) == 0
    scan[201:] = 0
    assert filler_in(scan, usual) is None, "padding at the end"
    grey = jpeg.read_header(jpeg_of(PHOTO[..., 0]).data.tobytes()).tables
    assert is_natural(0b01011010, grey), "one grey more from block to block"
    black = jpeg.read_header(jpeg_of(PLAIN["black"], *ENCODERS["optimised"]).data.tobytes()).tables
    assert is_natural(0, black)
    assert not is_natural(0, usual)


def repeats(room, file, start, stop):
    room.take(memoryview(file), start)
    return room.repeats(stop)


@pytest.mark.parametrize(("byte", "length"), [(0, 15), (0x77, 23)])
def test_a_run_is_found_wherever_it_and_the_scan_begin(byte, length):
    tables = jpeg.read_header(jpeg_of(PHOTO).data.tobytes()).tables
    plain = np.arange(64, dtype=np.uint8) + 1  # nothing in it repeats
    room = Room()
    for at in range(8):
        for begin in range(8):
            memory = np.concatenate([plain, plain])
            memory[at + begin : at + begin + length] = byte
            assert repeats(room, memory, at, len(memory)), (at, begin)
            assert filler_in(memory[at:], tables) == byte, (at, begin)
    assert not repeats(room, np.concatenate([plain, plain]), 0, 128)


def test_what_is_left_of_a_longer_file_is_no_run_of_a_shorter_one():
    room = Room()
    whole = bytes(range(1, 129))
    assert repeats(room, whole + bytes(15), 0, 143)
    for size in (128, 127, 125, 100, 80, 64, 7, 4, 3, 0):
        assert not repeats(room, whole[:size], 0, size), size
    assert repeats(room, bytes(8), 0, 8)
    assert repeats(room, whole * 40 + bytes(15), 0, 40 * 128 + 15), "and one that is far longer"


@pytest.mark.parametrize("start", [0, 1, 4, 15, 16])
def test_a_run_before_a_scan_or_behind_it_is_none_within_it(start):
    room, whole = Room(), bytes(range(1, 129))
    for size in (128, 90, 64):
        file = bytes(start) + whole[:size] + bytes(16)
        assert not repeats(room, file, start, start + size), size
        assert repeats(room, file, start, len(file)), size
        assert bytes(room.take(memoryview(file), start)) == file


def test_a_file_says_nothing_on_stderr(capfd):
    data = jpeg_of(PHOTO).data.tobytes()
    for spoiled in (data[:5000] + b"\xff\xd9", data[:5000] + data[9000:], data[:300] + bytes(300) + data[600:]):
        with pytest.raises(ImageError):
            read_compressed(CompressedImage(format="jpeg", data=spoiled))
    assert capfd.readouterr() == ("", "")


NOISE = cv2.resize(np.random.default_rng(5).integers(0, 256, (30, 40, 3), np.uint8), (320, 240))


def jfif_of_another_version(data):
    return data.replace(b"JFIF\0\1", b"JFIF\0\2")


def a_stray_byte_in_the_header(data):
    at = data.index(b"\xff\xdb")
    return data[:at] + b"\0" + data[at:]


def colours_of_another_adobe(data):
    at = data.index(b"\xff\xdb")
    return data[:2] + b"\xff\xee\0\x0eAdobe\0\x64" + bytes(4) + b"\7" + data[at:]


def a_stray_byte_before_a_restart(data):
    at = data.index(b"\xff\xd0")
    return data[:at] + b"\0" + data[at:]


COMPLAINTS = [
    jfif_of_another_version,
    a_stray_byte_in_the_header,
    colours_of_another_adobe,
    a_stray_byte_before_a_restart,
]


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_damage_is_found_behind_what_libjpeg_complains_of_first(complaint):
    plain = jpeg_of(NOISE, cv2.IMWRITE_JPEG_RST_INTERVAL, 20)
    data = plain.data.tobytes()
    whole = complaint(data)
    assert np.array_equal(read_compressed(saying(whole)).pixels, read_compressed(plain).pixels)
    lost = len(whole) // 3
    for damaged in (whole[: 2 * lost] + b"\xff\xd9", whole[: len(whole) // 2] + whole[len(whole) // 2 + lost // 2 :]):
        with pytest.raises(ImageError, match="corrupt"):
            read_compressed(saying(damaged))


def saying(data):
    message = CompressedImage(format="jpeg")
    message.data.frombytes(data)
    return message
