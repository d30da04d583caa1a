"""Processes around the node. Each is ``python test/hostile soak --part NAME``, until somebody ends it."""

from __future__ import annotations

import json
import math
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

NAMESPACE = "/soak"
RATE, WIDTH, HEIGHT = 30.0, 320, 240
LIFE = 20.0
"""Life of one of the camera's publishers, unless they are to stay [s]; the next counts from 1 again."""

PUBLISHED = struct.Struct("<qq")
"""Stamp [ns] and which of its publishers, of each image that the camera published."""

NEIGHBOURS: list[tuple[str, str]] = [
    # Topics of the node, or beside them, with a type that nobody expects there. Add a line to add a publisher.
    ("image", "sensor_msgs/msg/CompressedImage"),
    ("image", "sensor_msgs/msg/CameraInfo"),
    ("image/compressed", "sensor_msgs/msg/Image"),
    ("camera_info", "sensor_msgs/msg/Image"),
    ("camera_info", "std_msgs/msg/String"),
    ("depth/image_rect", "sensor_msgs/msg/Image"),
    ("depth/points", "sensor_msgs/msg/CompressedImage"),
    ("image_depth", "sensor_msgs/msg/Image"),
]


def _node(name: str) -> Any:
    import rclpy

    rclpy.init(args=[])
    return rclpy.create_node(f"{name}_{os.getpid()}", namespace=NAMESPACE)


def camera(folder: Path, life: float = LIFE) -> None:
    """Publishes a picture raw and as JPEG, and its camera_info, and writes down when."""
    import cv2
    import numpy as np
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image

    from fastdepth_ros.cdr import with_stamp

    node, qos = _node("camera"), QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    pixels = np.random.default_rng(os.getpid()).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    pixels = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    raw = Image(encoding="rgb8", width=WIDTH, height=HEIGHT, step=3 * WIDTH)
    raw.data.frombytes(pixels.tobytes())
    jpeg = CompressedImage(format="jpeg")
    jpeg.data.frombytes(cv2.imencode(".jpg", pixels)[1].tobytes())
    k = [262.5, 0.0, (WIDTH - 1) / 2, 0.0, 262.5, (HEIGHT - 1) / 2, 0.0, 0.0, 1.0]
    info = CameraInfo(width=WIDTH, height=HEIGHT, distortion_model="plumb_bob", d=[0.0] * 5, k=k)
    messages = {"image": raw, "image/compressed": jpeg, "camera_info": info}
    for message in messages.values():
        message.header.frame_id = "camera"
    data = {topic: serialize_message(message) for topic, message in messages.items()}
    written = (folder / f"published-{os.getpid()}").open("wb", buffering=0)
    due, born, lives = time.monotonic(), 0.0, 0
    publishers: list[tuple[str, Any]] = []
    while True:
        if not publishers or time.monotonic() > born + life:
            for _, publisher in publishers:
                node.destroy_publisher(publisher)
            publishers = [
                (topic, node.create_publisher(type(message), topic, qos)) for topic, message in messages.items()
            ]
            born, lives = time.monotonic(), lives + 1
        stamp = time.time_ns()
        for topic, publisher in publishers:
            publisher.publish(with_stamp(data[topic], stamp))
        written.write(PUBLISHED.pack(stamp, os.getpid() << 16 | lives))
        due += 1 / RATE
        time.sleep(max(0.0, due - time.monotonic()))


def reader(folder: Path) -> None:
    """Reads depth, its camera_info and the cloud; writes down how much came at its end."""
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from sensor_msgs.msg import CameraInfo, Image, PointCloud2

    node, counts = _node("reader"), {"depth": 0, "camera_info": 0, "cloud": 0}
    for name, kind, topic in (
        ("depth", Image, "image_rect"),
        ("camera_info", CameraInfo, "camera_info"),
        ("cloud", PointCloud2, "points"),
    ):
        node.create_subscription(
            kind, f"depth/{topic}", lambda _, name=name: counts.update({name: counts[name] + 1}), 5, raw=True
        )
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        (folder / f"reader-{os.getpid()}.json").write_text(json.dumps(counts))


def neighbours(_: Path) -> None:
    """Publishes what nobody expects, in bytes that nobody expects, on the node's topics and beside them."""
    import importlib

    node, rng = _node("neighbours"), Random(os.getpid())
    publishers = []
    for topic, kind in NEIGHBOURS:
        package, _, name = kind.split("/")
        publishers.append(node.create_publisher(getattr(importlib.import_module(f"{package}.msg"), name), topic, 5))
    while True:
        rng.choice(publishers).publish(b"\0\1\0\0" + rng.randbytes(rng.choice((0, 4, 60, 3000))))
        time.sleep(0.1)


def stranger(_: Path) -> None:
    """Publishes damaged camera_info of the right type, among the camera's own."""
    from sensor_msgs.msg import CameraInfo

    from hostile.seeds import camera_infos

    node, rng = _node("stranger"), Random(os.getpid())
    publisher = node.create_publisher(CameraInfo, "camera_info", 5)
    while True:
        publisher.publish(camera_infos.make(rng))
        time.sleep(0.5)


def hog(_: Path) -> None:
    """Computes for nothing."""
    while True:
        sum(range(1_000_000))


def still_camera(folder: Path) -> None:
    """The camera, whose publishers stay."""
    camera(folder, math.inf)


PARTS: dict[str, Callable[[Path], None]] = {
    each.__name__: each for each in (camera, still_camera, reader, neighbours, stranger, hog)
}


def main(name: str, folder: Path) -> int:
    """Play one part until SIGINT or SIGTERM, or worse."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        PARTS[name](folder)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        if "context" not in str(error):
            raise
    sys.stdout.flush()
    os._exit(0)
