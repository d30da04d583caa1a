"""Small recordings for tests, message by message."""

import numpy as np
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.recording import RecordingWriter

STORE = get_typestore(Stores.ROS2_HUMBLE)
TYPES = STORE.types
START = 1_600_000_000_000_000_000


def header(stamp=START, frame="camera"):
    time = TYPES["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9)
    return TYPES["std_msgs/msg/Header"](time, frame)


def image(encoding="rgb8", stamp=START, width=8, height=6, frame="camera"):
    size = {"rgb8": 3, "16UC1": 2, "mono8": 1}[encoding]
    data = np.full(width * height * size, 7, np.uint8)
    return TYPES["sensor_msgs/msg/Image"](header(stamp, frame), height, width, encoding, 0, width * size, data)


def compressed(format_, data=b"\xff\xd8\xff", stamp=START):
    return TYPES["sensor_msgs/msg/CompressedImage"](header(stamp), format_, np.frombuffer(data, np.uint8))


def camera_info(stamp=START, frame="camera"):
    return TYPES["sensor_msgs/msg/CameraInfo"](
        header(stamp, frame), 6, 8, "plumb_bob", np.zeros(5), np.eye(3).ravel(), np.eye(3).ravel(), np.zeros(12), 0, 0,
        TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
    )  # fmt: skip


def write(path, *messages):
    """A recording of (topic, message) pairs, one a millisecond."""
    with RecordingWriter(path) as writer:
        for index, (topic, message) in enumerate(messages):
            kind = message.__msgtype__
            writer.write(topic, kind, START + index * 10**6, bytes(STORE.serialize_cdr(message, kind)))
    return path
