"""Pictures of files and recordings are those that the node would have seen."""

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from jpegs import jpeg

from fastdepth_ros.errors import ImageError
from fastdepth_ros.evaluation.dataset import open_source
from fastdepth_ros.messages.files import bgr_of, read_file, rgb_of
from fastdepth_ros.picture import Picture

PIXELS = np.zeros((48, 64, 3), np.uint8)
PIXELS[:, :32] = (10, 60, 200)  # blue, green, red


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_in_the_file_turns_nothing(orientation):
    data = jpeg(PIXELS, orientation)
    turned = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert (turned.shape == PIXELS.shape) == (orientation < 5)  # OpenCV would turn it
    picture = read_file(data, "room.jpg")
    assert (picture.width, picture.height) == (64, 48)
    assert np.abs(bgr_of(picture)[:, :30].astype(int) - (10, 60, 200)).max() < 12


def test_an_orientation_turns_no_picture_away_from_its_depth(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(PIXELS, 6))
    cv2.imwrite(str(tmp_path / "a.depth.png"), np.full((48, 64), 2000, np.uint16))
    frame = open_source(tmp_path)[0].read()
    assert frame.pixels.shape[:2] == frame.depth.shape == (48, 64)
    assert np.abs(frame.pixels[5, 5].astype(int) - (200, 60, 10)).max() < 12


@pytest.mark.parametrize("shape", [(48, 64, 3), (48, 64, 4), (48, 64), (5, 7, 3)])
@pytest.mark.parametrize("suffix", [".bmp", ".png"])
def test_files_without_loss_are_read_as_opencv_reads_them(suffix, shape):
    data = cv2.imencode(suffix, np.random.default_rng(0).integers(0, 256, shape, np.uint8))[1]
    assert np.array_equal(bgr_of(read_file(data.tobytes(), f"room{suffix}")), cv2.imdecode(data, cv2.IMREAD_COLOR))


@pytest.mark.parametrize("suffix", [".tiff", ".webp", ".ppm", ".jp2", ".hdr"])
def test_kinds_of_which_nobody_knows_what_they_cost_are_refused_with_a_remedy(suffix):
    pixels = PIXELS.astype(np.float32) if suffix == ".hdr" else PIXELS
    done, data = cv2.imencode(suffix, pixels)
    assert done
    with pytest.raises(ImageError, match="neither JPEG nor PNG.*save pictures of other kinds as PNG"):
        read_file(data.tobytes(), f"room{suffix}")


def bmp(width=64, height=48, bits=24, packing=0, start=54, size=40, data=bytes(64 * 48 * 3)):
    return struct.pack("<2sIHHIIiiHHI", b"BM", 0, 0, 0, start, size, width, height, 1, bits, packing) + bytes(20) + data


BMP_BOMBS = {
    "larger than its file": bmp(60000, 60000),
    "as large as a whole number can be": bmp(2**31 - 1, -(2**31)),
    "packed": bmp(30000, 30000, 8, 1),
    "of one bit": bmp(30000, 30000, 1, data=bytes(30016 // 8 * 30000)),
    "of no bits": bmp(bits=0),
    "empty": bmp(0, 48),
    "of negative width": bmp(-64),
    "behind its end": bmp(start=2**32 - 1),
    "of OS/2": bmp(size=12),
    "cut short": bmp(data=bytes(100)),
}


@pytest.mark.parametrize("name", BMP_BOMBS)
def test_a_bmp_that_is_not_what_it_says_is_refused_before_it_is_decoded(name, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ImageError, match=r"attic\.bmp is no picture"):
        read_file(BMP_BOMBS[name], "attic.bmp")


def test_a_bmp_that_stands_upside_down_is_read():
    assert (read_file(bmp(height=-48), "room.bmp").height, read_file(bmp(), "room.bmp").width) == (48, 64)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff", jpeg(PIXELS)[:300], b"\x89PNG\r\n\x1a\n", b"BM"])
def test_what_cannot_be_read_is_named(data):
    with pytest.raises(ImageError, match=r"attic\.jpg "):
        read_file(data, "attic.jpg")


@pytest.mark.parametrize("order", ["rgb", "bgr", "rgba", "bgra", "grey"])
def test_every_order_becomes_rgb_and_bgr(order):
    sample = {"rgb": (1, 2, 3), "bgr": (3, 2, 1), "rgba": (1, 2, 3, 9), "bgra": (3, 2, 1, 9), "grey": 5}[order]
    picture = Picture(np.full((4, 6) if order == "grey" else (4, 6, len(sample)), sample, np.uint8), order)
    wanted = (5, 5, 5) if order == "grey" else (1, 2, 3)
    assert rgb_of(picture)[0, 0].tolist() == list(wanted)
    assert bgr_of(picture)[0, 0].tolist() == list(wanted)[::-1]


def test_no_ros_is_needed():
    program = """
import sys
for name in ("rclpy", "sensor_msgs", "std_msgs"):
    sys.modules[name] = None
import fastdepth_ros.commands.infer, fastdepth_ros.evaluation.frames, fastdepth_ros.messages.files
import fastdepth_ros.recording
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
