"""Measured depths of strangers: read, placed by what strangers say in tf, fitted, and published as a scan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.anchors import nothing_of
from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.anchoring.poses import OPTICAL, Pose
from fastdepth_ros.anchoring.sightings import Measurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.anchoring import SourceNotes
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.lens.turning import rotation_of
from fastdepth_ros.messages.measurements import READERS, measurement_of
from fastdepth_ros.messages.motion import read_down
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.messages.tf import TransformReader
from fastdepth_ros.node.anchor_found import Found, Sensed
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.node.scan import Obstacles, Scans
from fastdepth_ros.parameters import Parameters
from hostile import mutate
from hostile.seeds import anchors
from hostile.target import FooledError, Target

SEEN = Intrinsics(224, 224, 200.0, 265.0, 111.5, 111.5)
DEPTH_CAMERA = Intrinsics(8, 8, 8.0, 8.0, 3.5, 3.5)
METRES = np.geomspace(1, 5, 112, dtype=np.float32)[::-1, None].repeat(112, 1)
STAMP = 1_700_000_000.0
PARAMETERS = Parameters(floor_frame="base")
LARGEST = np.float32(np.exp(4.1))
"""Factor by which no correction may change an answer."""


def _anchors(_: Path) -> Callable[[bytes], object]:
    anchoring = Anchoring(METRES.shape)

    def take(data: bytes) -> None:
        source, tf, *messages = (*mutate.unpack(data), b"", b"")
        robot = RobotFrames(lambda *_: None)  # type: ignore[arg-type, return-value]  # nobody subscribes
        TransformReader(robot.frames.buffer).put([tf, tf], is_static=False)
        sensed = [
            each
            for message in messages
            if message
            for each in _sensed(source.decode("ascii", "replace"), message, robot)
        ]
        found, refused = Found(sensed, STAMP), None
        corrected = anchoring.correct(METRES, found(METRES, SEEN), STAMP, sigma=True)
        if any("report this" in each.notes.state(STAMP, 1).problem for each in sensed):
            raise FooledError("a measurement was read, and cannot be used")
        if not _is_answer(corrected.depth) or not _is_answer(corrected.sigma, 0.0, np.inf):
            raise FooledError("the answer is no depth any more")
        found.note(corrected.report)
        anchoring.rescale(2.0)  # somebody sets depth_scale, and a source takes back what it said
        gone = [nothing_of(each.source, taken_back=True) for each in corrected.report.sources[:1]]
        for anchors_of in ((), gone):
            again = anchoring.correct(np.float32(2) * METRES, anchors_of, STAMP + 1, sigma=True)
            if not _is_answer(again.depth, 1.8 / LARGEST, 10.2 * LARGEST) or not _is_answer(again.sigma, 0.0, np.inf):
                raise FooledError("the answer is no depth any more where it is scaled")
        anchoring.forget()
        try:
            _publish(robot)
        except AnchorError as error:
            refused = error
        if refused is not None and not sensed:
            raise refused

    return take


def _is_answer(values: np.ndarray | None, low: float = 0.9 / LARGEST, high: float = 5.1 * LARGEST) -> bool:
    return values is not None and bool(((values >= low) & (values <= high)).all())


def _sensed(source: str, message: bytes, robot: RobotFrames) -> list[Sensed]:
    """What a message says, in the camera's frame; where tf does not know its own, it is in the middle of the camera."""
    if source == "imu":
        return _floor(message, robot)
    if source not in READERS:
        return []
    read = READERS[source](message)
    measurement, lost = measurement_of(source, read, _pose(robot, source, read.header.frame_id), DEPTH_CAMERA)
    return [Sensed(SourceNotes(source), measurement, lost, 0.0)]


def _floor(message: bytes, robot: RobotFrames) -> list[Sensed]:
    read = read_down(message)
    if read.direction is None:
        raise AnchorError(read.why, "")
    x, y, z = map(float, _pose(robot, "imu", read.header.frame_id).rotation @ read.direction)
    if not abs(x * x + y * y + z * z - 1) < 1e-6:
        raise FooledError("down is no direction")
    rotation_of((x, y, z), "0")
    floor: Measurement = FloorMeasurement((x, y, z), 1.2)
    return [Sensed(SourceNotes("floor"), floor, {}, 0.0)]


def _pose(robot: RobotFrames, source: str, frame: str) -> Pose:
    try:
        return robot.frames.pose(source, frame, "camera", STAMP)
    except AnchorError:
        return OPTICAL.inverse()


def _publish(robot: RobotFrames) -> None:
    header = SerializedHeader(int(STAMP), 0, "camera")
    robot.look_anew()
    Obstacles().make(METRES, SEEN, PARAMETERS, header, robot)
    Scans().make(METRES, SEEN, PARAMETERS, header, robot)


TARGETS = (Target("anchors", "message", anchors.make, _anchors, 4),)
