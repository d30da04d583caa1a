"""The camera's topics: who publishes, with which quality of service, and what arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fastdepth_ros import dds
from fastdepth_ros.diagnostics.graph import publishers_of, topics_of
from fastdepth_ros.doctor.check import fail, failed, ok, warn
from fastdepth_ros.doctor.graph import Newest, listener, spin
from fastdepth_ros.errors import FastDepthError, Finding, ImageError, shortened
from fastdepth_ros.messages.camera_info import REMEDY, is_rectified, seen_camera
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import SerializedImage, Unpacker, unpack_camera_info

TYPES = {"sensor_msgs/msg/Image": Image, "sensor_msgs/msg/CompressedImage": CompressedImage}
AS_THE_NODE = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
ENOUGH = dds.SHIPPED["fastdds.xml"]
"""Shared memory that the driver is taken to have, if its pictures need no more than that [B]."""

DISCOVERY = 4.0
"""Seconds within which publishers are found, with room to spare."""

ANSWERS = ("depth", "aligned_depth", "ground_truth")
"""Words in the names of image topics that are no camera picture."""


def camera(image: str, camera_info: str, seconds: float) -> Iterator[Finding]:
    """Look for a camera in the graph and listen to it as the node would.

    Args:
        image: its topic; empty takes the first picture that is published.
        camera_info: its camera_info; empty takes the one beside the image.
        seconds: how long to listen, once it was found.
    """
    with listener("fastdepth_doctor") as (node, executor):
        yield from _look(node, executor, image, camera_info, seconds)


def _look(
    node: Node, executor: SingleThreadedExecutor, image: str, camera_info: str, seconds: float
) -> Iterator[Finding]:
    topics = find(node, executor, image)
    if not topics:
        fact = f"nobody publishes {image}" if image else "nobody publishes an image"
        yield warn("camera", fact, "Start the camera driver, in the same ROS_DOMAIN_ID, and name it with --image.")
        return
    topic, kind = topics[0]
    others = ", ".join(name for name, _ in topics[1:])

    heard, infos = Newest(), Newest()
    info_topic = camera_info or beside(topic)
    node.create_subscription(TYPES[kind], topic, heard.hear, AS_THE_NODE, raw=True)
    node.create_subscription(CameraInfo, info_topic, infos.hear, AS_THE_NODE, raw=True)
    start = time.monotonic()
    spin(executor, seconds)
    # The names of nodes come later than their topics.
    publishers = publishers_of(node, topic)
    quality = "; ".join(sorted({_quality(info) for info in publishers or ()}))
    quality = quality if publishers is not None else "its publishers cannot be told, for one has a name that is no text"
    yield ok("camera", f"{topic} ({kind}): {quality}" + (f"; also {others}" if others else ""))
    unpacker = Unpacker(TYPES[kind] is CompressedImage)
    announced = 0 if TYPES[kind] is CompressedImage else _announced(infos)
    yield _pictures(topic, heard, unpacker, time.monotonic() - start, announced)
    yield _calibration(info_topic, infos, _size(heard, unpacker), is_rectified(topic))


def find(node: Node, executor: SingleThreadedExecutor, image: str) -> list[tuple[str, str]]:
    """Topics with pictures that somebody publishes: the one that was asked for, or all, raw ones first."""
    end = time.monotonic() + DISCOVERY
    while True:
        spin(executor, 0.1)
        found = [
            (name, kind)
            for name, kinds in topics_of(node)
            for kind in kinds
            if kind in TYPES and node.count_publishers(name)
        ]
        if image:
            found = [(name, kind) for name, kind in found if name == image]
        else:
            found = [(name, kind) for name, kind in found if not any(word in name for word in ANSWERS)]
        if found or time.monotonic() > end:
            return sorted(found, key=lambda entry: (entry[1] != "sensor_msgs/msg/Image", entry[0]))


def beside(topic: str) -> str:
    """The camera_info that belongs to an image's topic, by convention."""
    return f"{topic.removesuffix('/compressed').rsplit('/', 1)[0]}/camera_info"


def _quality(info: Any) -> str:
    qos = info.qos_profile
    reliability, durability = qos.reliability.name.lower().replace("_", "-"), qos.durability.name.lower()
    return f"{shortened(info.node_name)} sends {reliability}, {durability}"


def _announced(infos: Newest) -> int:
    """Size of a picture as rgb8, as camera_info has it [B]; 0 where it is not known."""
    with suppress(FastDepthError):
        info = unpack_camera_info(infos.message) if infos.count else None
        return 3 * info.width * info.height if info else 0
    return 0


def _pictures(topic: str, heard: Newest, unpacker: Unpacker, seconds: float, announced: int = 0) -> Finding:
    if not heard.count:
        remedy = f"{dds.advice(announced)} Or is it paused? Restart the driver with the profile (see DDS above)."
        return fail("pictures", f"none of {topic} arrived in {seconds:.1f} s, though somebody publishes it", remedy)
    try:
        message = unpacker.unpack(heard.message)
        picture = PictureReader().read(message)
    except FastDepthError as error:
        return failed("pictures", error)
    what = shortened(message.encoding if isinstance(message, SerializedImage) else message.format)
    fact = f"{heard.count / seconds:.1f} a second, {picture.width}x{picture.height} {what}"
    size = len(message.data)
    if dds.needed_segment(size) > max(dds.own_segment(), ENOUGH):
        return warn("pictures", fact, dds.advice(size))
    return ok("pictures", fact)


def _size(heard: Newest, unpacker: Unpacker) -> tuple[int, int] | None:
    """Width and height of the newest raw picture; None where there is none."""
    with suppress(ImageError):
        message = unpacker.unpack(heard.message)
        if isinstance(message, SerializedImage):
            return message.width, message.height
    return None


def _calibration(topic: str, infos: Newest, size: tuple[int, int] | None, rectified: bool) -> Finding:
    if not infos.count:
        remedy = f"Name it with --camera-info; without it there is depth, but no cloud. Expected: {topic}."
        return warn("calibration", "no camera_info arrived", remedy)
    try:
        info = unpack_camera_info(infos.message)
        camera, lens, distortion = seen_camera(info, rectified)
    except FastDepthError as error:
        return warn("calibration", error.cause, error.remedy)
    fact = f"{topic}: {camera.width}x{camera.height}, fx {camera.fx:.1f}, fy {camera.fy:.1f} px"
    if size not in (None, (camera.width, camera.height)):
        width, height = size
        remedy = f"It has to be that of the pictures, {width}x{height}: calibrate at this size."
        return warn("calibration", fact, remedy)
    if camera.doubt:
        return warn("calibration", f"{fact}: {camera.doubt}", REMEDY)
    if distortion:
        return warn("calibration", f"{fact}: {distortion}", "")
    return ok("calibration", f"{fact}, rectified from {lens.distortion.model}" if lens else fact)
