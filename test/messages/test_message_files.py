"""Pictures of files and recordings are those that the node would have seen."""

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


@pytest.mark.parametrize("suffix", [".bmp", ".tiff", ".webp", ".png"])
def test_other_kinds_are_read_as_opencv_reads_them(suffix):
    data = cv2.imencode(suffix, PIXELS)[1].tobytes()
    assert np.abs(bgr_of(read_file(data, f"room{suffix}")).astype(int) - PIXELS).max() < 12


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
