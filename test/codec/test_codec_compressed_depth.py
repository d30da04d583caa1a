"""Depth images are packed so that others read them, and what others packed is read."""

from __future__ import annotations

import struct
from contextlib import suppress

import cv2
import independent_rvl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.codec import compressed_depth, rvl
from fastdepth_ros.errors import ImageError

rng = np.random.default_rng(5)


def holes(share: float, shape: tuple[int, int] = (37, 53), most: int = 65536) -> np.ndarray:
    picture = rng.integers(1, most, shape).astype(np.uint16)
    picture[rng.random(shape) < share] = 0
    return picture


PICTURES = {
    "noise without holes": holes(0.0),
    "noise": holes(0.3),
    "near things": holes(0.5, most=9),
    "hardly anything": holes(0.99),
    "nothing": np.zeros((5, 7), np.uint16),
    "one pixel": np.full((1, 1), 65535, np.uint16),
    "a hole at the end": np.array([[1, 2, 0]], np.uint16),
    "a hole at the start": np.array([[0, 2, 1]], np.uint16),
    "a room": cv2.resize(np.linspace(800, 6000, 112 * 112).reshape(112, 112).astype(np.uint16), (224, 224)),
}


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_rvl_is_what_the_papers_program_reads(picture):
    packed = rvl.encode(picture)
    assert len(packed) % 4 == 0
    np.testing.assert_array_equal(independent_rvl.unpack(packed, picture.size), picture.ravel())
    np.testing.assert_array_equal(rvl.decode(packed, picture.size), picture.ravel())


def test_rvl_of_a_known_picture_is_these_bytes():
    """0 zeros, 3 others: +1, +1, -1 -> 2, 2, 1; then 2 zeros, 1 other: +9 -> 18 = 2 + 8 * 2, in two groups."""
    packed = rvl.encode(np.array([1, 2, 1, 0, 0, 10], np.uint16))
    assert packed == struct.pack("<II", 0x0322121A, 0x20000000)


def test_parts_too_long_for_one_number_are_written_as_several(monkeypatch):
    monkeypatch.setattr(rvl, "LONGEST", 10)
    for picture in PICTURES.values():
        packed = rvl.encode(picture)
        np.testing.assert_array_equal(independent_rvl.unpack(packed, picture.size), picture.ravel())
        np.testing.assert_array_equal(rvl.decode(packed, picture.size), picture.ravel())


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\0", b"\xff" * 64, b"\x77" * 8, rvl.encode(holes(0.3))[:-40]])
def test_rvl_that_is_damaged_is_refused(data):
    with pytest.raises(ValueError, match=r"cut short|more than"):
        rvl.decode(data, 37 * 53)


@given(st.binary(max_size=300), st.integers(1, 3000))
def test_any_bytes_are_pixels_or_refused(data, pixels):
    with suppress(ValueError):
        assert rvl.decode(data, pixels).shape == (pixels,)


def test_a_few_bytes_do_not_become_a_hundred_megabytes():
    small, large = (
        compressed_depth.SIZE.pack(side, side) + rvl.encode(np.zeros(side**2, np.uint16)) for side in (2000, 7000)
    )
    assert not compressed_depth.decode("16UC1; compressedDepth rvl", whole(small), "it").any()
    with pytest.raises(ImageError, match="are no 7000x7000"):
        compressed_depth.decode("16UC1; compressedDepth rvl", whole(large), "it")


def test_parts_without_pixels_are_not_gone_through_one_by_one():
    with pytest.raises(ValueError, match="parts without pixels"):
        rvl.decode(bytes(1 << 20), 640 * 480)


def test_a_picture_of_many_blocks_is_read(monkeypatch):
    monkeypatch.setattr(rvl, "BLOCK", 8)
    for picture in PICTURES.values():
        np.testing.assert_array_equal(rvl.decode(rvl.encode(picture) + b"more", picture.size), picture.ravel())


def whole(packed: bytes) -> np.ndarray:
    """RVL behind a header."""
    return np.frombuffer(bytes(12) + packed, np.uint8)


@pytest.mark.parametrize("method", ["png", "rvl"])
def test_millimetres_come_back_as_they_were(method):
    picture = holes(0.3)
    data = np.frombuffer(compressed_depth.encode(picture, method), np.uint8)
    read = compressed_depth.decode(f"16UC1; compressedDepth {method}", data, "it")
    np.testing.assert_array_equal(read, picture)
    if method == "rvl":
        np.testing.assert_array_equal(independent_rvl.depth_of("16UC1; compressedDepth rvl", data.tobytes()), picture)
    else:
        np.testing.assert_array_equal(cv2.imdecode(data[12:], cv2.IMREAD_UNCHANGED), picture)


@pytest.mark.parametrize("method", ["png", "rvl"])
@pytest.mark.parametrize(("nearest", "farthest"), [(0.1, 10.0), (0.2, 10.0), (0.0, 100.0), (0.5, 3.0)])
def test_metres_come_back_to_half_a_step(method, nearest, farthest):
    depth = np.geomspace(max(nearest, 0.02), farthest, 40 * 30).astype(np.float32).reshape(30, 40)
    data = np.frombuffer(compressed_depth.encode(depth, method, nearest, farthest), np.uint8)
    read = compressed_depth.decode(f"32FC1; compressedDepth {method}", data, "it")
    _, a, _ = compressed_depth.HEADER.unpack(data[:12].tobytes())
    assert a <= 100 * 101 + 1
    assert (np.abs(read - depth) <= 0.51 * depth**2 / a + 2e-6 * depth).all()
    if method == "rvl":
        theirs = independent_rvl.depth_of("32FC1; compressedDepth rvl", data.tobytes())
        np.testing.assert_allclose(theirs, read, rtol=1e-6)


def test_metres_that_are_none_have_no_value_and_near_ones_the_nearest():
    depth = np.array([[np.nan, np.inf, -np.inf, 0.0, -1.0, 12.0, 0.05, 10.0]], np.float32)
    data = np.frombuffer(compressed_depth.encode(depth, "png", 0.1, 10.0), np.uint8)
    read = compressed_depth.decode("32FC1; compressedDepth png", data, "it")
    assert np.isnan(read[0, :6]).all()
    assert read[0, 6:] == pytest.approx([0.1, 10.0], rel=1e-4)


def test_the_standards_step_holds_where_the_range_fits():
    assert compressed_depth.quantisation(0.2, 10.0) == pytest.approx((10100, 1 - 1010))


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("32FC1; compressedDepth rvl", bytes(12)),
        ("32FC1; compressedDepth rvl", bytes(16)),
        ("16UC1; compressedDepth rvl", bytes(40)),
        ("16UC1; compressedDepth rvl", bytes(12) + b"\xff" * 40),
        ("16UC1; compressedDepth png", bytes(40)),
        ("16UC1; png compressed", bytes(40)),
    ],
)
def test_what_is_no_compressed_depth_is_refused(form, data):
    with pytest.raises(ImageError):
        compressed_depth.decode(form, np.frombuffer(data, np.uint8), "it")
