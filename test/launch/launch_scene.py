"""What the launch tests start with: a recording and a model, both made on the spot, and a graph of their own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2
from std_msgs.msg import Header

from fastdepth_ros.demo.graph import enter_graph
from fastdepth_ros.harness import measured
from fastdepth_ros.network import PRUNED
from fastdepth_ros.recording import RecordingWriter
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle

WIDTH, HEIGHT, FRAMES, PERIOD = 320, 240, 60, 33_333_333
FRAME = "camera_color_optical_frame"
FAR = 1.4
"""Distance of the plane that the sensors measure [m]; random weights see the clouds a little nearer."""

PATIENCE = {"sigterm_timeout": "60"}
"""Seconds that launch lets a process end by itself before it sends SIGTERM: its 5 are too few on a busy machine."""


@cache
def own_graph() -> Path:
    """Loopback only, where no other test and no robot is heard, for this process and those that it starts.

    Returns:
        A folder that goes when this process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="fastdepth_launch_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    enter_graph(folder)
    return folder


def make_bundle(folder: Path) -> Bundle:
    """A model with random weights, whose answers are a few metres."""
    rng = np.random.default_rng(0)
    weights = {}
    for conv in PRUNED.convolutions:
        spread = (2 / np.prod(conv.weight_shape[1:])) ** 0.5
        weights[f"{conv.name}.weight"] = rng.normal(0, spread, conv.weight_shape).astype(np.float32)
        weights[f"{conv.name}.bias"] = rng.normal(0.1, 0.1, conv.outputs).astype(np.float32)
    return write_bundle(folder, Manifest("random", PRUNED), weights, "# Random weights, for tests\n")


def sensed() -> list[tuple[str, PointCloud2 | LaserScan]]:
    """Points and a scan of a plane that is so far away everywhere: the scan's frame is its own."""
    random = np.random.default_rng(2)
    slopes = np.column_stack((random.uniform(-0.45, 0.45, 100), random.uniform(-0.35, 0.35, 100), np.ones(100)))
    angles = np.linspace(-0.4, 0.4, 81)
    scan = measured.scan(Header(frame_id="laser"), -0.4, 0.01, FAR / np.cos(angles))
    return [("/recorded/points", measured.cloud(Header(), FAR * slopes)), ("/recorded/scan", scan)]


def make_recording(folder: Path, compressed: bool, anchors: bool = False) -> Path:
    """A camera that looks at moving clouds for two seconds, and sensors that say that they are a plane."""
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH + FRAMES, 3), np.uint8)
    clouds = cv2.GaussianBlur(noise, (0, 0), 9) * 3
    k = [300.0, 0.0, (WIDTH - 1) / 2, 0.0, 300.0, (HEIGHT - 1) / 2, 0.0, 0.0, 1.0]
    with RecordingWriter(folder) as recording:
        for i in range(FRAMES):
            pixels = np.ascontiguousarray(clouds[:, i : i + WIDTH])
            info = CameraInfo(width=WIDTH, height=HEIGHT, distortion_model="plumb_bob", d=[0.0] * 5, k=k)
            if compressed:
                topic, image = "/recorded/image_raw/compressed", CompressedImage(format="jpeg")
                image.data.frombytes(cv2.imencode(".jpg", pixels)[1].tobytes())
            else:
                topic = "/recorded/image_raw"
                image = Image(width=WIDTH, height=HEIGHT, step=3 * WIDTH, encoding="bgr8")
                image.data.frombytes(pixels.tobytes())
            for name, message in (*(sensed() if anchors else ()), (topic, image), ("/recorded/camera_info", info)):
                message.header.frame_id = message.header.frame_id or FRAME
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(i * PERIOD, 1_000_000_000)
                kind = f"sensor_msgs/msg/{type(message).__name__}"
                recording.write(name, kind, i * PERIOD, serialize_message(message))
    return folder
