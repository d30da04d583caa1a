"""Files that are made to cost memory or time are refused before they do."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pngs import END, bomb, chunk, header

from fastdepth_ros.codec import jpeg, png
from fastdepth_ros.codec.complaints import ear
from fastdepth_ros.codec.decoder import Decoder, decode_file
from fastdepth_ros.errors import ImageError

PHOTO = cv2.resize(np.random.default_rng(2).integers(0, 256, (9, 12, 3), np.uint8), (120, 90))
GOOD = cv2.imencode(".png", PHOTO)[1].tobytes()


def progressive(width, height, scans=10):
    data = cv2.imencode(".jpg", PHOTO, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()
    at = data.index(b"\xff\xc2") + 5
    data = data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def resized(width, height):
    data = cv2.imencode(".jpg", PHOTO)[1].tobytes()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


HOSTILE = {
    "a chunk of 2 GB": (png.START + header(9, 9) + chunk(b"IDAT", b"x", 0x7FFFFFFF) + END, "cut short"),
    "a chunk of 4 GB": (png.START + header(9, 9) + chunk(b"tEXt", b"x", 0xFFFFFFFF) + END, "cut short"),
    "a first chunk of 4 GB": (png.START + chunk(b"IHDR", bytes(13), 0xFFFFFFFF) + END, "size"),
    "bits of 30000x30000": (bomb(30000, 30000, 1, 0), "30000x30000"),
    "8001x8001": (png.START + header(8001, 8001) + chunk(b"IDAT", b"x") + END, "8001x8001"),
    "16 bits and alpha": (png.START + header(7000, 7000, 16, 6) + chunk(b"IDAT", bytes(400_000)) + END, "11 bytes"),
    "a width that overflows": (png.START + header(0xFFFFFFFF, 1) + chunk(b"IDAT", b"x") + END, "4294967295x1"),
    "no width": (png.START + header(0, 9) + chunk(b"IDAT", b"x") + END, "0x9"),
    "no pixels": (png.START + header(999, 999) + END, "no packed bytes"),
    "no pixel, and 2 GB behind the end": (
        png.START + header(1, 1, 16, 6) + END + b"\x7f\xff\xff\xffIDATx\x01c\xfa" + END,
        "no packed bytes",
    ),
    "an end that holds something": (
        png.START + header(1, 1) + chunk(b"IDAT", b"x") + chunk(b"IEND", bytes(10)),
        "ends",
    ),
    "two sizes": (png.START + header(9, 9) + header(9, 9) + chunk(b"IDAT", b"x") + END, "twice"),
    "a piece of no kind": (png.START + header(9, 9) + chunk(b"IDAt", b"x") + chunk(b"JDAT") + END, "kind"),
    "no size": (png.START + chunk(b"IDAT", b"x") + END, "size"),
    "an animation": (png.START + header(9, 9) + chunk(b"acTL", bytes(8)) + chunk(b"IDAT", b"x") + END, "animation"),
    "many pieces": (png.START + header(9, 9) + chunk(b"IDAT") * 100_001 + END, "pieces"),
    "few bytes for a large PNG": (png.START + header(7000, 7000) + chunk(b"IDAT", b"x") + END, "1 packed"),
    "few bytes for a large JPEG": (resized(50296, 255), "50296x255"),
    "a progressive JPEG of 65500x16000": (progressive(65500, 16000), "65500x16000"),
    "a progressive JPEG in many scans": (progressive(8000, 8000), r"20 scans|cut short"),
    "a thousand scans": (progressive(120, 90, 1000), "scans"),
    "large pictures in many scans": (progressive(6000, 5000, 60) + bytes(99), r"scans|cut short"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_would_cost_gigabytes_is_refused(what):
    data, words = HOSTILE[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match=words) as refused:
        decode_file(data, "it", cv2.IMREAD_COLOR)
    assert refused.value.remedy
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB"


def test_max_pixels_is_where_a_picture_is_too_large():
    assert decode_file(GOOD, "it", cv2.IMREAD_COLOR, 120 * 90).shape == (90, 120, 3)
    with pytest.raises(ImageError, match="120x90") as refused:
        decode_file(GOOD, "it", cv2.IMREAD_COLOR, 120 * 90 - 1)
    assert "max_pixels" in refused.value.remedy


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_good_pngs_are_read_whatever_follows_them(bits, channels):
    pixels = np.random.default_rng(1).integers(0, 1 << bits, (9, 12, channels), f"u{bits // 8}")
    data = cv2.imencode(".png", pixels)[1].tobytes()
    for ending in (b"", bytes(40), b"more"):
        read = decode_file(data + ending, "it", cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read.reshape(pixels.shape), pixels)


@given(st.data())
def test_any_bytes_are_a_picture_or_refused(data):
    whole = data.draw(st.sampled_from([GOOD, progressive(120, 90, 0), cv2.imencode(".jpg", PHOTO)[1].tobytes()]))
    spoiled = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=5)):
        spoiled[at] = data.draw(st.integers(0, 255))
    try:
        pixels = decode_file(bytes(spoiled), "it", cv2.IMREAD_COLOR, 1_000_000)
    except ImageError:
        return
    assert pixels.ndim == 3


def test_what_other_threads_print_meanwhile_is_passed_on(capfd):
    def decode():
        import ctypes

        libc = ctypes.CDLL(None)
        stderr = ctypes.c_void_p.in_dll(libc, "stderr")
        libc.fputs(b"somebody else\nlibpng error: ours\n", stderr)
        return 7

    assert ear.hear(decode) == (7, "libpng error: ours")
    assert capfd.readouterr().err == "somebody else\n"


def test_a_decoder_that_raises_leaves_stderr_as_it_was(capfd):
    with pytest.raises(ZeroDivisionError):
        ear.hear(lambda: 1 // 0)
    assert ear.hear(lambda: 3) == (3, "")
    code = "import ctypes; libc = ctypes.CDLL(None); libc.fputs(b'x', ctypes.c_void_p.in_dll(libc, 'stderr'))"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr().err == "x"


def test_a_jpeg_of_twelve_bits_is_refused():
    data = bytearray(cv2.imencode(".jpg", PHOTO)[1].tobytes())
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(ImageError, match="12 bits"):
        Decoder().look(bytes(data), "it")


def test_a_header_of_a_million_segments_is_given_up():
    data = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000 + cv2.imencode(".jpg", PHOTO)[1].tobytes()[2:]
    with pytest.raises(ValueError, match="no pixels"):
        jpeg.read_header(data)


CHATTER = {
    "a text": chunk(b"tEXt", b"Title\0a wall"),
    "texts of 8 MB": chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(8_000_000), 9)) * 999,
    "a text of 200 MB": chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(200_000_000), 9)),
    "a colour profile that is none": chunk(b"iCCP", b"k\0\0" + zlib.compress(b"\xff" * 10_000_000, 9)),
    "an EXIF without end": chunk(b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 60_000),
}


@pytest.mark.parametrize("what", CHATTER)
def test_what_a_png_says_beside_its_pixels_is_not_unpacked(what):
    data = GOOD[:33] + CHATTER[what] + GOOD[33:]
    file = Decoder().look(memoryview(data), "it")
    assert bytes(file.data) == GOOD
    assert np.array_equal(decode_file(data, "it", cv2.IMREAD_COLOR), PHOTO)


def test_a_plain_png_is_not_copied():
    kept = Decoder().look(memoryview(GOOD), "it").data
    assert kept.obj is GOOD
    assert kept == GOOD


def test_transparency_stays_with_a_png():
    pixels = np.full((9, 9), 7, np.uint16)
    data = cv2.imencode(".png", pixels)[1].tobytes()
    clear = data[:33] + chunk(b"tRNS", b"\0\7") + data[33:]
    assert bytes(Decoder().look(memoryview(clear), "it").data) == clear
