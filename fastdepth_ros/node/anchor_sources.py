"""Depths that the robot knows, as anchors of the image that is being answered.

What came is taken in the thread that answers images, from sources that somebody publishes: as far as it can be while
that thread waits for the next image, which finds it read and in its camera's view, else with the image. The rest, as
subscribing, is the executor's thread's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo

from fastdepth_ros.anchoring.anchors import Report as Correction
from fastdepth_ros.anchoring.changes import Changes
from fastdepth_ros.anchoring.sightings import TakenBack
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.anchoring import SourceNotes, SourceState
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.motion import Down
from fastdepth_ros.node.anchor_ahead import Ahead
from fastdepth_ros.node.anchor_echo import Echo, Echoes
from fastdepth_ros.node.anchor_floor import down_of
from fastdepth_ros.node.anchor_found import Found, Sensed
from fastdepth_ros.node.anchor_inputs import IMU, KINDS, WAITING, Input
from fastdepth_ros.node.anchor_notes import AnchorNotes
from fastdepth_ros.node.anchor_placing import Placing
from fastdepth_ros.node.anchor_tf import Subscribe
from fastdepth_ros.node.qos import anchor_qos
from fastdepth_ros.node.rclpy_ways.interface import Subscriber
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.parameters import NONE, Parameters, extrinsics_of
from fastdepth_ros.pipeline.frame import Cells

RELATIVE = "relative"
"""Word of anchor_scale for points that are known up to one factor only."""


class AnchorSources:
    """Sources of anchors: subscriptions, where their sensors are, and what was noted.

    Args:
        subscribe: subscribes to a topic.
        publishers: how many publish on a topic.
        parameters: in force.
        now: the time in the node's clock [s].
        logger: of the node.
        robot: where frames and the floor are; by default nobody else asks for them.
        echo: topic -> who may make it of this node's depth, as far as the graph tells; by default nobody does.

    Attributes:
        subscribers: all that were made.
        speak: whether any source may say something; else nobody need measure.
        upright: rotation by which the latest image was upright, where somebody asked.
        upright_problem: why it is not known; empty where it is.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        publishers: Callable[[str], int],
        parameters: Parameters,
        now: Callable[[], float],
        logger: Any,
        robot: RobotFrames | None = None,
        echo: Callable[[str], Echo | None] = lambda _: None,
    ) -> None:
        self.subscribers: list[Subscriber] = []
        self.upright, self.upright_problem = turning.NONE, ""
        self._make = subscribe
        self._publishers = publishers
        self._now = now
        self._floor_notes = SourceNotes("floor")
        self._ahead = Ahead()
        self._measured: tuple[str, float] | None = None
        self._seen: Intrinsics | None = None
        self._echoes, self._changes = Echoes(echo), Changes()
        self.parameters = parameters
        self._robot = robot or RobotFrames(subscribe)
        self._frames = self._robot.frames
        self._frames.extrinsics = extrinsics_of(parameters.anchor_extrinsics)
        self._notes = AnchorNotes(self._frames.buffer)
        self._inputs = {name: self._input(name, kind) for name, kind in {**KINDS, "imu": IMU}.items()}
        depth_infos = self._subscribe(CameraInfo, "anchor_depth/camera_info", anchor_qos(WAITING))
        relative = parameters.anchor_scale == RELATIVE
        self._placing = Placing(self._robot, depth_infos, logger, self._ahead.moved, relative=relative)
        self._live: tuple[str, ...] = ()
        self.keep_up()

    def _input(self, name: str, kind: Any) -> Input[Any]:
        subscriber = self._subscribe(kind.message, name, anchor_qos(WAITING))
        return Input(kind, subscriber, SourceNotes(name, str(subscriber.subscription.topic_name)), self._now)

    def _subscribe(self, kind: type, topic: str, qos: QoSProfile) -> Subscriber:
        subscriber = self._make(kind, topic, qos)
        self.subscribers.append(subscriber)
        return subscriber

    @property
    def waited(self) -> Sequence[Subscriber]:
        """Subscribers of sources that somebody publishes, for whoever has them made ready between images."""
        return [self._inputs[name].subscriber for name in self._live if name in KINDS]

    # In the executor's thread

    def apply(self, parameters: Parameters) -> None:
        """Parameters changed."""
        if parameters.anchor_extrinsics != self.parameters.anchor_extrinsics:
            self._frames.extrinsics = extrinsics_of(parameters.anchor_extrinsics)
            self._placing.forget()
        self._placing.relative = parameters.anchor_scale == RELATIVE
        self.parameters = parameters
        self._see_who_speaks()

    def keep_up(self) -> None:
        """See which sources somebody publishes; to be called now and then."""
        live = (name for name, each in self._inputs.items() if self._publishers(each.topic))
        self._live = tuple(dict.fromkeys((*self._live, *live)))
        self._echoes.look([(name, self._inputs[name].topic) for name in self._live])
        self._see_who_speaks()
        self._robot.keep_up()

    def _see_who_speaks(self) -> None:
        self.speak = bool(self._live or self.parameters.camera_height > 0 or self._floor_frame)

    def states(self, now: float) -> list[SourceState]:
        """Say what became of each source in the last seconds."""
        inputs = [
            each.notes.state(now, self._publishers(each.topic)) for name, each in self._inputs.items() if name in KINDS
        ]
        return [*inputs, self._floor_notes.state(now, 0)]

    def report(self, now: float) -> tuple[Status, dict[str, float]]:
        """Report on the last seconds, in words and as plain numbers."""
        return self._notes.report(self.states(now), now)

    @property
    def correction(self) -> Correction | None:
        """The latest frame's; None before the first."""
        return self._notes.correction

    # In the thread that answers images

    def measure(self, camera: str, stamp: float, scale: float = 1.0) -> Found | tuple[()]:
        """Measure for an image; nothing where no source says anything.

        Args:
            camera: its frame.
            stamp: its time [s].
            scale: depth_scale that it is answered with.
        """
        sensed: list[Sensed] = []
        self._measured = camera, stamp
        for name in self._live:
            self._inputs[name].take()
            if name in KINDS:
                sensed += self._sense(name, camera, stamp)
        if self.parameters.camera_height > 0 or self._floor_frame:
            sensed += self._floor(camera, stamp)
        return Found(sensed, self._now(), stamp, self._changes, scale) if sensed else ()

    def wait(self, why: str) -> None:
        """Take what came, and note why it cannot be brought into an image: its camera is not known."""
        now, words = self._now(), f"where it is in the picture is not known: {why}"
        for name in self._live:
            self._inputs[name].take()
            self._inputs[name].notes.problem(now, words)
        if self.parameters.camera_height > 0 or self._floor_frame:
            self._floor_notes.problem(now, words)

    def prepare(self) -> None:
        """Take what came since the last image, and bring it into the view that this one had: the next has it, too.

        It is held against the answers, too. What could not be is left to the next image, which says why.
        """
        if self._measured is None or self._seen is None:
            return
        camera, stamp = self._measured
        for name in self._live:
            if name not in KINDS or not self._ahead.is_of_use(name):
                continue
            for message in self._inputs[name].take():
                self._ahead.made(name, message)
                try:
                    placed = self._placing.place(name, message, camera, stamp)
                except AnchorError:
                    continue
                placed.measurement.look(self._seen)
                self._echoes.compare(name, message, partial(self._placing.then, name, placed, camera))

    @property
    def watches(self) -> bool:
        """Whether answers are to be told: somebody publishes a source, and it is held against them."""
        return self._echoes.watches

    def answered(self, stamp: float, cells: Cells) -> None:
        """Take the answer to the image of this stamp [s], as it was published; its cells are copied."""
        self._echoes.answered(stamp, cells)

    def derived(self, name: str, message: bytearray) -> None:
        """Take a serialized message of the output of this name; it is copied, if it is kept."""
        self._echoes.derived(name, message)

    def turn(self, camera: str, stamp: float) -> str:
        """Find the rotation by which an image is upright, from what came until it was measured for.

        Args:
            camera: its frame.
            stamp: its time [s].

        Returns:
            That of the image before, where neither floor_frame nor an inertial unit says another.
        """
        try:
            if self._imu is not None:
                self._imu.take()
            down = down_of(
                self._floor_frame, self._robot.pose, self._imu, camera, stamp, self.parameters.anchor_max_age
            )
        except AnchorError as error:
            self.upright_problem = str(error)
            return self.upright
        self.upright_problem = "" if down else "neither `imu` nor floor_frame says where down is"
        self.upright = turning.rotation_of(down, self.upright) if down else self.upright
        return self.upright

    @property
    def _imu(self) -> Input[Down] | None:
        return self._inputs["imu"] if "imu" in self._live else None

    @property
    def _floor_frame(self) -> str:
        return "" if self.parameters.floor_frame == NONE else self.parameters.floor_frame

    def corrected(self, found: Found | tuple[()] | None, correction: Correction) -> None:
        """Take notes of a frame that was corrected, with what was found or with what is remembered."""
        self._notes.corrected(correction, self._now())
        if found:
            self._seen = found.seen
            found.note(correction)

    def _sense(self, name: str, camera: str, stamp: float) -> list[Sensed]:
        sensed = []
        source = self._inputs[name]
        messages = source.nearest(stamp, self.parameters.anchor_max_age)
        self._ahead.used(name, messages)
        for message in messages:
            try:
                placed = self._placing.place(name, message, camera, stamp)
            except AnchorError as error:
                source.notes.problem(self._now(), str(error))
                continue
            judged = self._echoes.judge(name, message, partial(self._placing.then, name, placed, camera))
            if judged.why_not:
                source.notes.problem(self._now(), judged.why_not)
            if judged.taken_back:
                sensed.append(Sensed(source.notes, TakenBack(name), {}, 0.0))
            if not judged.is_used:
                continue
            if placed.doubt:
                source.notes.doubt(self._now(), placed.doubt)
            lag = max(stamp - message.header.seconds, placed.late, key=abs)
            sensed.append(Sensed(source.notes, placed.measurement, placed.lost, lag, placed.repeats))
        return sensed

    def _floor(self, camera: str, stamp: float) -> list[Sensed]:
        upright = self.upright if self.parameters.rotation == turning.AUTO else self.parameters.rotation
        try:
            floor = self._robot.floor(self.parameters, camera, stamp, self._imu, upright)
        except AnchorError as error:
            self._floor_notes.problem(self._now(), str(error))
            return []
        return [] if floor is None else [Sensed(self._floor_notes, floor, {}, 0.0)]
