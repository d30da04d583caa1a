"""Recordings of a camera and of sensors that measure depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.recording import RecordingWriter

STORE = get_typestore(Stores.ROS2_HUMBLE)
TYPES = STORE.types
START = 1_600_000_000_000_000_000
WIDTH, HEIGHT, FOCAL = 160, 120, 100.0
EYE = "eye_optical_frame"


def header(stamp: int, frame: str) -> object:
    time = TYPES["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9)
    return TYPES["std_msgs/msg/Header"](time, frame)


def write(path: Path, *messages: tuple[str, object]) -> Path:
    """A recording of (topic, message) pairs, one a millisecond."""
    with RecordingWriter(path) as writer:
        for index, (topic, message) in enumerate(messages):
            put(writer, topic, START + index * 10**6, message)
    return path


def put(writer: RecordingWriter, topic: str, time: int, message: object) -> None:
    kind = message.__msgtype__
    writer.write(topic, kind, time, bytes(STORE.serialize_cdr(message, kind)))


def picture(stamp: int, grey: int | npt.NDArray[np.uint8] = 7) -> object:
    data = np.broadcast_to(np.asarray(grey, np.uint8), (HEIGHT, WIDTH, 3)).ravel()
    return TYPES["sensor_msgs/msg/Image"](header(stamp, EYE), HEIGHT, WIDTH, "rgb8", 0, WIDTH * 3, data)


def calibrated(stamp: int = START) -> object:
    k = np.array([FOCAL, 0, 80, 0, FOCAL, 60, 0, 0, 1], np.float64)
    p = np.array([FOCAL, 0, 80, 0, 0, FOCAL, 60, 0, 0, 0, 1, 0], np.float64)
    none = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    rest = (HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).ravel(), p, 0, 0, none)
    return TYPES["sensor_msgs/msg/CameraInfo"](header(stamp, EYE), *rest)


def cloud(stamp: int, xyz: list[tuple[float, float, float]], frame: str = EYE) -> object:
    field = TYPES["sensor_msgs/msg/PointField"]
    fields = [field(name, 4 * i, 7, 1) for i, name in enumerate("xyz")]
    data = np.frombuffer(np.array(xyz, np.float32).tobytes(), np.uint8)
    sizes = (1, len(xyz), fields, False, 12, 12 * len(xyz))
    return TYPES["sensor_msgs/msg/PointCloud2"](header(stamp, frame), *sizes, data, True)


def scan(stamp: int, frame: str = "laser") -> object:
    ranges = np.full(21, 2.0, np.float32)
    line = (-0.5, 0.5, 0.05, 0.0, 0.1, 0.1, 10.0, ranges, np.zeros(0, np.float32))
    return TYPES["sensor_msgs/msg/LaserScan"](header(stamp, frame), *line)
