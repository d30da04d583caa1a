"""Pictures of a recording with their true depth: in one pass, whatever is recorded between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.recording import RecordingWriter
from fastdepth_ros.recording import depth as recorded_depth

STORE = get_typestore(Stores.ROS2_HUMBLE)
TYPES = STORE.types
START, PERIOD = 1_600_000_000_000_000_000, 33_000_000
HEIGHT, WIDTH = 48, 64
IMAGE, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"


def header(stamp: int):
    return TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9), "camera")


def image(stamp: int, encoding: str, pixels: np.ndarray) -> bytes:
    step = WIDTH * pixels.itemsize * (3 if encoding == "rgb8" else 1)
    made = TYPES[IMAGE](header(stamp), HEIGHT, WIDTH, encoding, 0, step, pixels.reshape(-1).view(np.uint8))
    return bytes(STORE.serialize_cdr(made, IMAGE))


def camera_info(cx: float) -> bytes:
    k = np.array([60.0, 0, cx, 0, 60, 23.5, 0, 0, 1])
    region = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    made = TYPES[INFO](
        header(START), HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).ravel(), np.zeros(12), 0, 0, region
    )
    return bytes(STORE.serialize_cdr(made, INFO))


def record(path: Path, count: int, cx: float = 31.5, cut: bool = False) -> Path:
    """Pictures, and depths in millimetres that say their number, a millisecond later."""
    with RecordingWriter(path) as writer:
        writer.write("/camera/camera_info", INFO, START, camera_info(cx))
        for number in range(count):
            stamp = START + number * PERIOD
            picture = image(stamp, "rgb8", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
            depth = image(stamp + 10**6, "16UC1", np.full((HEIGHT, WIDTH), 1000 + number, np.uint16))
            writer.write("/camera/image_raw", IMAGE, stamp, picture)
            writer.write("/camera/depth", IMAGE, stamp + 10**6, depth)
            if cut and number == 1:
                writer.write("/camera/image_raw", IMAGE, stamp + 2, picture[:9])
                writer.write("/camera/depth", IMAGE, stamp + 3, depth[:9])
    return path


def test_each_picture_has_its_own_depth_and_what_was_cut_short_is_left_out(tmp_path: Path) -> None:
    frames = list(labelled([record(tmp_path / "bag", 5, cut=True)]))
    assert [round(1000 * float(each.frame.depth[0, 0])) for each in frames] == [1000, 1001, 1002, 1003, 1004]
    assert frames[0].frame.camera.fx == 60


def test_depth_of_a_long_recording_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    plain = recorded_depth.decode_depth
    monkeypatch.setattr(recorded_depth, "decode_depth", lambda message: read.append(1) or plain(message))
    frames = labelled([record(tmp_path / "bag", 40)])
    next(frames)
    assert len(read) <= 2


def test_a_camera_that_cannot_be_believed_is_doubted_here_as_well(tmp_path: Path) -> None:
    (frame,) = (each.frame for each in labelled([record(tmp_path / "bag", 1, cx=5.0)]))
    assert "far from the centre" in frame.camera.doubt
