"""Measured depths in the graph, and whether they will help: rate, frame, tf, and agreement with the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2, Range

from fastdepth_ros.anchoring import close_up
from fastdepth_ros.anchoring.cones import ConeMeasurement
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Measurement, placed
from fastdepth_ros.diagnostics.anchoring import CHECK, CLOSE_UP, FAR_OFF
from fastdepth_ros.diagnostics.graph import reader_of, topics_of
from fastdepth_ros.doctor.camera import AS_THE_NODE, TYPES, beside, find
from fastdepth_ros.doctor.check import ok, warn
from fastdepth_ros.doctor.graph import Newest, listener, spin
from fastdepth_ros.doctor.sight import Sight, look
from fastdepth_ros.errors import AnchorError, FastDepthError, Finding, shortened
from fastdepth_ros.messages.camera_info import intrinsics_of, is_rectified, seen_camera
from fastdepth_ros.messages.clouds import Points, read_cloud
from fastdepth_ros.messages.depth_images import Depths, read_depths
from fastdepth_ros.messages.ranges import Cone, read_range, read_scan
from fastdepth_ros.messages.serialized import Unpacker, unpack_camera_info
from fastdepth_ros.messages.tf import put_transforms, tf_message, why_no_tf
from fastdepth_ros.runtime.precision import AUTO

DISCOVERY = 2.0
"""Seconds within which publishers are found."""

LATE = 0.5
"""Age of a measurement beyond which the node does not use it, unless anchor_max_age says otherwise [s]."""

OURS = ("/depth/points", "/depth/image_rect", "/depth/uncertainty", "/depth/scan", "/depth/obstacles")
"""Ends of the topics that a node of this package publishes."""


class Kind(NamedTuple):
    """A kind of source: the node's topic, the type of its messages, and what reads them."""

    source: str
    message: type
    read: Callable[[bytes], Any]


KINDS = {
    "sensor_msgs/msg/PointCloud2": Kind("anchors", PointCloud2, read_cloud),
    "sensor_msgs/msg/LaserScan": Kind("scan", LaserScan, read_scan),
    "sensor_msgs/msg/Range": Kind("range", Range, read_range),
    "sensor_msgs/msg/Image": Kind("anchor_depth", Image, read_depths),
}


@dataclass
class Heard:
    """A topic that was listened to."""

    topic: str
    kind: Kind
    messages: Newest = field(default_factory=Newest)
    infos: Newest = field(default_factory=Newest)


class Asked(NamedTuple):
    """Sources that are to be listened to, and the camera that they are held against.

    Attributes:
        image, camera_info: the camera's topics; empty where any will do.
        seconds: how long to listen.
        model, target: of the network that sees the picture.
        extrinsics: where sensors are in the camera's body frame, as ``anchor_extrinsics`` says it.
        precision: of that network.
        below: what the names of the node's topics for this camera begin with, as ``front/``.
    """

    image: str
    camera_info: str
    seconds: float
    model: str
    target: str
    extrinsics: Mapping[str, Pose]
    precision: str = AUTO
    below: str = ""


def anchors(asked: Asked) -> Iterator[Finding]:
    """Look for measured depths in the graph, and hold them against the picture."""
    with listener("fastdepth_doctor_anchors") as (node, executor):
        yield from _listen(node, executor, asked)


def _listen(node: Node, executor: SingleThreadedExecutor, asked: Asked) -> Iterator[Finding]:
    frames = Frames(asked.extrinsics, why_no_tf())
    _hear_tf(node, frames)
    spin(executor, DISCOVERY)
    heard = [Heard(topic, kind) for topic, kind in _found(node)]
    if not heard:
        yield ok("anchors", "nobody publishes points, scans or ranges: depth is the network's own (docs/anchors.md)")
        return
    for each in heard:
        node.create_subscription(each.kind.message, each.topic, each.messages.hear, _quality(), raw=True)
        if each.kind.source == "anchor_depth":
            name = f"{each.topic.rsplit('/', 1)[0]}/camera_info"
            node.create_subscription(CameraInfo, name, each.infos.hear, _quality(), raw=True)
    pictures = _Pictures(node, executor, asked)
    started = time.monotonic()
    spin(executor, asked.seconds)
    took = time.monotonic() - started
    try:
        sight = pictures.look()
    except FastDepthError as error:
        yield warn("anchors", f"the picture cannot be seen: {error.cause}", error.remedy)
        return
    ours = [topic for topic, _ in topics_of(node) if topic.endswith(OURS)]
    for each in heard:
        loop = reader_of(node, each.topic, ours)
        found = _check(each, took, sight, frames, asked.below)
        yield found if loop is None else _may_be_made_of_depth(found, *loop)


class _Pictures:
    """The camera's topics."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor, asked: Asked) -> None:
        self._asked = asked
        self._images, self._infos = Newest(), Newest()
        self._unpacker, self._rectified = Unpacker(), False
        for topic, kind in find(node, executor, asked.image)[:1]:
            self._unpacker = Unpacker(TYPES[kind] is CompressedImage)
            self._rectified = is_rectified(topic)
            name = asked.camera_info or beside(topic)
            node.create_subscription(TYPES[kind], topic, self._images.hear, AS_THE_NODE, raw=True)
            node.create_subscription(CameraInfo, name, self._infos.hear, AS_THE_NODE, raw=True)

    def look(self) -> Sight | None:
        """View of the network; None where no picture came.

        Raises:
            FastDepthError: there is no such model, or the picture cannot be read.
        """
        if not self._images.count or not self._infos.count:
            return None
        image = self._unpacker.unpack(self._images.message)
        camera = seen_camera(unpack_camera_info(self._infos.message), self._rectified)
        return look(image, camera, self._asked.model, self._asked.target, self._asked.precision)


def _found(node: Node) -> list[tuple[str, Kind]]:
    """Topics that may measure depth, and that somebody publishes."""
    return [
        (topic, KINDS[kind])
        for topic, kinds in topics_of(node)
        for kind in kinds
        if kind in KINDS and node.count_publishers(topic) and not topic.endswith(OURS)
        if kind != "sensor_msgs/msg/Image" or "depth" in topic
    ]


def _hear_tf(node: Node, frames: Frames) -> None:
    kind = tf_message()
    if kind is None:
        return
    kept = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    passing = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
    for topic, quality, is_static in (("/tf", passing, False), ("/tf_static", kept, True)):

        def put(serialized: bytes, is_static: bool = is_static) -> None:
            put_transforms(frames.buffer, serialized, is_static)

        node.create_subscription(kind, topic, put, quality, raw=True)


def _quality() -> QoSProfile:
    return QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def _check(heard: Heard, took: float, sight: Sight | None, frames: Frames, below: str = "") -> Finding:
    name, remap = heard.kind.source, f"Remap {below}{heard.kind.source}:={heard.topic}"
    if not heard.messages.count:
        return warn(name, f"{heard.topic}: nothing arrived in {took:.1f} s", "Look whether its driver runs.")
    fact = f"{heard.topic}: {heard.messages.count / took:.1f} a second"
    try:
        message = heard.kind.read(heard.messages.message)
        fact += f", in {message.header.frame_id or 'a frame without a name'}"
        if sight is None:
            return warn(name, fact, "Start the camera as well: without a picture nothing can be said of them.")
        lag = sight.stamp - message.header.seconds
        measurement = _measurement(heard, message, sight, frames)
        sighting = measurement.sight(sight.metres, sight.seen, 0.0)
    except FastDepthError as error:
        return warn(name, f"{fact}: {error.cause}", error.remedy)
    depths, left_out = sighting.anchors.depths, dict(sighting.left_out)
    fact += f", {len(depths)} of {len(depths) + sum(left_out.values())} points seen"
    if abs(lag) > LATE:
        return warn(name, f"{fact}, {lag:.2f} s older than the image", "Synchronise clocks, or raise anchor_max_age.")
    if not len(depths):
        cause = max(left_out, key=lambda each: left_out[each]) if left_out else "it holds no point"
        return warn(name, f"{fact}: {cause}", "Check its frame, anchor_extrinsics, and where it looks.")
    return _agreement(name, fact, remap, sighting.anchors.pixels, depths, sight)


def _may_be_made_of_depth(finding: Finding, by: str, reads: str) -> Finding:
    """Tell of who publishes a topic and reads a node's depth: to show it, or to make the topic of it."""
    words = (
        f"{shortened(by)} publishes it and reads {reads}: if it is made of that, the node finds out and does not use it"
    )
    return replace(finding, cause=f"{finding.cause.rstrip('.')}. {words}")


def _measurement(heard: Heard, message: Any, sight: Sight, frames: Frames) -> Measurement:
    """A message in the camera's frame.

    Raises:
        AnchorError: it holds no measurement, or its place is not known.
    """
    source = heard.kind.source
    pose = frames.pose(source, message.header.frame_id, sight.frame, sight.stamp)
    if isinstance(message, Cone):
        if message.range is None:
            raise AnchorError(f"it measures {message.why}", "Look at what is before the sensor, and at its limits.")
        return ConeMeasurement(source, pose, message.field_of_view, message.range, message.sigma)
    points: Points = _depth_points(message, heard.infos) if isinstance(message, Depths) else message
    return placed(source, points.xyz, points.variances, pose, spread=points.spread)[0]


def _depth_points(depths: Depths, infos: Newest) -> Points:
    if not infos.count:
        raise AnchorError("no camera_info came beside it", "Let its driver publish one.")
    return depths.points(intrinsics_of(unpack_camera_info(infos.message), rectified=False))


def _agreement(
    name: str,
    fact: str,
    remap: str,
    pixels: npt.NDArray[np.float32],
    depths: npt.NDArray[np.float32],
    sight: Sight,
) -> Finding:
    cells = ((pixels + 0.5) / 2).astype(int)
    answers = sight.metres[cells[:, 1].clip(0, len(sight.metres) - 1), cells[:, 0].clip(0, sight.metres.shape[1] - 1)]
    answered = np.isfinite(answers) & (answers > 0)
    if not answered.any():
        return ok(name, f"{fact}. {remap}")
    ratio = float(np.median(depths[answered] / answers[answered]))
    says = f"{ratio:.1f} times as far" if ratio >= 1 else f"{1 / ratio:.1f} times as near"
    if not 1 / FAR_OFF < ratio < FAR_OFF:
        return warn(name, f"{fact}, {says} as the picture", CLOSE_UP if close_up.hides(float(np.log(ratio))) else CHECK)
    return ok(name, f"{fact}, {says} as the picture. {remap}")
