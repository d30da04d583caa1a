"""What the robot knows, as anchors of the image that is being answered.

Nobody is woken up by a measurement: what came is taken when an image is answered, in the same thread, from sources that
somebody publishes. The rest, as subscribing, is the executor's thread's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.anchors import Report as Correction
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import ConeMeasurement, Measurement, placed
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.anchoring import SourceNotes, SourceState, Used, anchoring_status, numbers
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.diagnostics.windows import SPAN
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import Points
from fastdepth_ros.messages.depth_images import Depths
from fastdepth_ros.messages.motion import Down
from fastdepth_ros.messages.ranges import Cone
from fastdepth_ros.messages.tf import why_no_tf
from fastdepth_ros.node.anchor_floor import floor_of
from fastdepth_ros.node.anchor_inputs import IMU, KINDS, Input, quality
from fastdepth_ros.node.anchor_tf import Subscribe, TfInput
from fastdepth_ros.node.camera import Camera
from fastdepth_ros.node.intake import Mailbox
from fastdepth_ros.parameters import NONE, Parameters, extrinsics_of

rcl: Any = rclpy_implementation


class Sensed(NamedTuple):
    """A measurement for one image.

    Attributes:
        notes: of its source.
        measurement: in the camera's frame.
        lost: cause -> points that are no numbers.
        lag: from measurement to image [s].
    """

    notes: SourceNotes
    measurement: Measurement
    lost: Mapping[str, int]
    lag: float


class Prepared(NamedTuple):
    """A message, brought into the camera's frame."""

    message: Any
    pose: Pose
    measurement: Measurement
    lost: Mapping[str, int]


class Found:
    """The measurements of one image, and what became of them.

    Args:
        sensed: all of them.
        now: the time in the node's clock [s].
    """

    def __init__(self, sensed: Sequence[Sensed], now: float) -> None:
        self._sensed = sensed
        self._now = now
        self._left_out: list[Mapping[str, int]] = []
        self._of: list[tuple[SourceNotes, float]] = []

    def __call__(self, metres: npt.NDArray[np.float32], seen: Intrinsics) -> list[Anchors]:
        """The anchors, of each source together.

        Args:
            metres: the answer, (rows, columns) of cells [m].
            seen: the camera of the network's input.
        """
        anchors: list[Anchors] = []
        self._left_out, self._of = [], []
        for notes, measurement, lost, lag in self._sensed:
            try:
                sighting = measurement.sight(metres, seen, lag)
            except Exception as error:  # depth goes on without it, and the fault is named
                notes.problem(self._now, f"{error!r}. Please report this.")
                continue
            left_out = Counter(lost) + Counter(sighting.left_out)
            if anchors and anchors[-1].source == sighting.anchors.source:
                anchors[-1] = _both(anchors[-1], sighting.anchors)
                self._left_out[-1] = Counter(self._left_out[-1]) + left_out
                continue
            anchors.append(sighting.anchors)
            self._left_out.append(left_out)
            self._of.append((notes, lag))
        return anchors

    def note(self, correction: Correction) -> None:
        """Take notes of what became of them."""
        for (notes, lag), left_out, said in zip(self._of, self._left_out, correction.sources, strict=False):
            causes = Counter(left_out) + Counter(said.rejected)
            notes.used(self._now, Used(said.used, causes, lag, said.ratio, said.believed))


def _both(one: Anchors, other: Anchors) -> Anchors:
    return one._replace(
        pixels=np.concatenate((one.pixels, other.pixels)),
        depths=np.concatenate((one.depths, other.depths)),
        sigmas=np.concatenate((one.sigmas, other.sigmas)),
    )


class AnchorSources:
    """Sources of anchors: subscriptions, where their sensors are, and what was noted.

    Args:
        subscribe: makes a subscription of raw messages that no executor takes.
        publishers: how many publish on a topic.
        parameters: in force.
        now: the time in the node's clock [s].
        logger: of the node.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        publishers: Callable[[str], int],
        parameters: Parameters,
        now: Callable[[], float],
        logger: Any,
    ) -> None:
        self._subscriptions: list[Any] = []
        self._make = subscribe
        self._publishers = publishers
        self._now = now
        self._depth_camera = Camera(logger)
        self._floor_notes = SourceNotes("floor")
        self._prepared: dict[tuple[str, str], Prepared] = {}
        self._correction: Correction | None = None
        self._tf_problems, self._tf_noted = 0, -math.inf
        self.parameters = parameters
        self._frames = Frames(extrinsics_of(parameters.anchor_extrinsics), why_no_tf())
        self._tf = TfInput(self._frames.buffer)
        self._inputs = {name: self._input(name, kind) for name, kind in {**KINDS, "imu": IMU}.items()}
        self._depth_infos = self._subscribe(CameraInfo, "anchor_depth/camera_info", quality())
        self._depth_mail = Mailbox(self._depth_infos)
        self._live: tuple[str, ...] = ()
        self.keep_up()

    def _input(self, name: str, kind: Any) -> Input[Any]:
        subscription = self._subscribe(kind.message, name, quality())
        return Input(kind, subscription, SourceNotes(name, subscription.topic_name), self._now)

    def _subscribe(self, kind: type, topic: str, qos: QoSProfile) -> Any:
        subscription = self._make(kind, topic, qos)
        self._subscriptions.append(subscription)
        return subscription

    # In the executor's thread

    def apply(self, parameters: Parameters) -> None:
        """Parameters changed."""
        if parameters.anchor_extrinsics != self.parameters.anchor_extrinsics:
            self._frames.extrinsics = extrinsics_of(parameters.anchor_extrinsics)
            self._prepared = {}
        self.parameters = parameters

    def keep_up(self) -> None:
        """See which sources somebody publishes; to be called now and then."""
        live = (name for name, each in self._inputs.items() if self._publishers(each.subscription.topic_name))
        self._live = tuple(dict.fromkeys((*self._live, *live)))
        self._tf.subscribe(self._subscribe)

    def states(self, now: float) -> list[SourceState]:
        """What became of each source in the last seconds."""
        inputs = [
            each.notes.state(now, self._publishers(each.subscription.topic_name))
            for name, each in self._inputs.items()
            if name in KINDS
        ]
        return [*inputs, self._floor_notes.state(now, 0)]

    def report(self, now: float) -> tuple[Status, dict[str, float]]:
        """What is to be said of the last seconds, in words and as plain numbers."""
        states, correction = self.states(now), self._correction
        return anchoring_status(states, correction, self._about_tf(now)), numbers(states, correction)

    @property
    def subscriptions(self) -> list[Any]:
        """All that were made."""
        return self._subscriptions

    @property
    def correction(self) -> Correction | None:
        """The latest frame's; None before the first."""
        return self._correction

    def _about_tf(self, now: float) -> str:
        """What was wrong with tf in the last seconds; empty where nothing was."""
        buffer = self._frames.buffer
        if buffer.problems != self._tf_problems:
            self._tf_problems, self._tf_noted = buffer.problems, now
        return buffer.problem if 0 <= now - self._tf_noted < SPAN else ""

    # In the thread that answers images

    def measure(self, camera: str, stamp: float) -> Found | tuple[()]:
        """What was measured for an image; nothing where no source says anything.

        Args:
            camera: its frame.
            stamp: its time [s].
        """
        sensed: list[Sensed] = []
        for name in self._live:
            self._inputs[name].take()
            if name in KINDS:
                sensed += self._sense(name, camera, stamp)
        sensed += self._floor(camera, stamp)
        return Found(sensed, self._now()) if sensed else ()

    def corrected(self, found: Found | tuple[()] | None, correction: Correction) -> None:
        """Take notes of a frame that was corrected, with what was found or with what is remembered."""
        self._correction = correction
        if found:
            found.note(correction)

    def _sense(self, name: str, camera: str, stamp: float) -> list[Sensed]:
        sensed = []
        source = self._inputs[name]
        for message in source.nearest(stamp, self.parameters.anchor_max_age):
            try:
                prepared = self._prepare(name, message, camera, stamp)
            except AnchorError as error:
                source.notes.problem(self._now(), str(error))
                continue
            lag = stamp - message.origin.seconds
            sensed.append(Sensed(source.notes, prepared.measurement, prepared.lost, lag))
        return sensed

    def _prepare(self, name: str, message: Any, camera: str, stamp: float) -> Prepared:
        """A message in the camera's frame: the same as for the image before, if neither came or moved.

        Raises:
            AnchorError: it holds no measurement, or where its frame is is not known.
        """
        pose = self._pose(name, message.origin.frame_id, camera, stamp)
        known = self._prepared.get((name, message.origin.frame_id))
        if known is not None and known.message is message and _same(known.pose, pose):
            return known
        measurement, lost = self._placed(name, message, pose)
        prepared = self._prepared[name, message.origin.frame_id] = Prepared(message, pose, measurement, lost)
        return prepared

    def _pose(self, name: str, frame: str, camera: str, stamp: float) -> Pose:
        if self._frames.needs_tf(name, frame, camera):
            self._tf.hear()
        return self._frames.pose(name, frame, camera, stamp)

    def _placed(self, name: str, message: Any, pose: Pose) -> tuple[Measurement, Mapping[str, int]]:
        if isinstance(message, Cone):
            if message.range is None:
                raise AnchorError(f"it measures {message.why}", "Look at what is before the sensor, and at its limits.")
            return ConeMeasurement(name, pose, message.field_of_view, message.range, message.sigma), {}
        if isinstance(message, Depths):
            message = self._depth_points(message)
        relative = name == "anchors" and self.parameters.anchor_scale == "relative"
        points: Points = message
        return placed(name, points.xyz, points.variances, pose, relative, points.spread)

    def _depth_points(self, depths: Depths) -> Points:
        try:
            with self._depth_infos.handle:
                for serialized, _ in self._depth_mail:
                    self._depth_camera.hear(serialized)
        except rcl.InvalidHandle:  # it is being destroyed
            pass
        calibration = self._depth_camera.calibration
        if calibration is None:
            cause = self._depth_camera.problem or "no camera_info came for it"
            raise AnchorError(cause.rstrip("."), "Let its driver publish anchor_depth/camera_info.")
        return depths.points(calibration.camera)

    def _floor(self, camera: str, stamp: float) -> list[Sensed]:
        parameters = self.parameters
        imu: Input[Down] | None = self._inputs["imu"] if "imu" in self._live else None
        try:
            floor = floor_of(
                parameters.camera_height,
                parameters.camera_pitch,
                "" if parameters.floor_frame == NONE else parameters.floor_frame,
                self._pose,
                imu,
                camera,
                stamp,
                parameters.anchor_max_age,
            )
        except AnchorError as error:
            self._floor_notes.problem(self._now(), str(error))
            return []
        return [] if floor is None else [Sensed(self._floor_notes, floor, {}, 0.0)]


def _same(one: Pose, other: Pose) -> bool:
    return one is other or (
        np.array_equal(one.rotation, other.rotation) and np.array_equal(one.translation, other.translation)
    )
