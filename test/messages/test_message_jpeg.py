"""JPEG messages: how large they are before they are decoded, and decoded smaller than they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage

from fastdepth_ros.messages import images, jpeg
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
    monkeypatch.setattr(images, "_RGB", 0)
    older = read_compressed(data, lambda *_: 2)
    assert older.order == "bgr"
    assert np.array_equal(older.pixels, newer.pixels[..., ::-1] if newer.order == "rgb" else newer.pixels)


def test_the_size_of_a_jpeg_is_that_of_its_own_frame():
    data = jpeg_of(PICTURE).data.tobytes()
    thumbnail = jpeg_of(np.zeros((8, 16, 3), np.uint8)).data.tobytes()
    exif = b"\xff\xff\xff\xe1" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail  # after two fill bytes
    assert jpeg.size(data) == (61, 45)
    assert jpeg.size(data[:2] + exif + data[2:]) == (61, 45)
    frame = data.index(b"\xff\xc0")
    lossless = data[:frame] + b"\xff\xc3" + data[frame + 2 :]
    for other in (
        lossless,
        data[:frame],
        data[: frame + 6],
        data[:4],
        data[:2],
        b"",
        bytes(99),
        b"\xff\xd8" + 9 * b"\xff",
    ):
        assert jpeg.size(other) is None
    open_height = data[: frame + 5] + b"\0\0" + data[frame + 7 :]
    assert jpeg.size(open_height) is None


@pytest.mark.parametrize("settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)], ids=["one scan", "several"])
def test_a_jpeg_is_whole_with_the_end_behind_its_last_scan(settings):
    data = jpeg_of(PICTURE, *settings).data.tobytes()
    assert jpeg.is_whole(data)
    assert jpeg.is_whole(data + bytes(64))
    assert not any(jpeg.is_whole(data[:length]) for length in range(len(data)))
    thumbnail = jpeg_of(np.zeros((8, 16, 3), np.uint8)).data.tobytes()
    exif = b"\xff\xe1" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail
    assert jpeg.is_whole(data[:2] + exif + data[2:])
    assert not jpeg.is_whole(data[:2] + exif + data[2:-2]), "the end is the thumbnail's"


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
    files += [progressive[:-2] + b"\xff\xd9", data[: len(data) // 2] + b"\xff\xd9"]
    inspector = jpeg.Inspector()
    for number, file in enumerate(files):
        assert inspector.inspect(memoryview(file)) == (jpeg.is_whole(file), jpeg.size(file)), number


@given(st.binary(max_size=64))
def test_the_size_of_anything_is_looked_for_without_harm(data):
    size = jpeg.size(b"\xff\xd8" + data)
    assert size is None or min(size) > 0
