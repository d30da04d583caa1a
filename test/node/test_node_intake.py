"""Which image is answered, and what is said of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from robot import Robot
from sensor_msgs.msg import CameraInfo, Image

from fastdepth_ros.diagnostics.monitor import Drop, Monitor, Report
from fastdepth_ros.node.intake import Arrival, Intake
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.qos import sensor
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.parameters import Parameters

KEEP_ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)


class Trial:
    """An intake, and the camera that it hears."""

    def __init__(self, robot: Robot, power: NodePower, qos: QoSProfile, rate: float = 0.0) -> None:
        self._robot = robot
        images, infos = robot.aside(Image, "image", qos), robot.aside(CameraInfo, "camera_info", sensor())
        self._images, self._infos = robot.publisher(images), robot.publisher(infos)
        self.monitor = Monitor(0.0)
        self.widths: list[int] = []
        self._intake = Intake(images, infos, False, self._hear, self.monitor, RateLimit(rate), power, time.time)
        self.send(0.0)
        assert self.take() is not None

    def _hear(self, serialized: bytes) -> None:
        self.widths.append(deserialize_message(serialized, CameraInfo).width)

    def send(self, *stamps: float) -> None:
        """Publish images, and wait until they are there."""
        for stamp in stamps:
            message = Image(height=2, width=2, encoding="mono8", step=2, data=bytes(4))
            message.header.stamp.sec, message.header.stamp.nanosec = 1000 + int(stamp), int(stamp % 1 * 1e9)
            self._images.publish(message)
        self._robot.spin(0.2)

    def describe(self, width: int) -> None:
        self._infos.publish(CameraInfo(width=width))
        self._robot.spin(0.2)

    def take(self, busy: bool = True) -> Arrival | None:
        """Take what is there, after other work or after a wait for it."""
        return self._intake.take(time.time_ns() if busy else 0)

    def report(self) -> Report:
        return self.monitor.report(time.time())


def stamp_of(arrival: Any) -> float:
    return round(arrival.message.origin.seconds - 1000, 3)


@pytest.fixture
def power(tmp_path) -> Iterator[NodePower]:
    power = NodePower(Parameters(board_root=str(tmp_path)), time.time)
    yield power
    power.close()


@pytest.mark.parametrize("qos", [sensor(), KEEP_ALL], ids=["the newest kept", "all kept"])
def test_the_newest_image_is_answered_and_those_that_waited_are_replaced(robot, power, qos):
    trial = Trial(robot, power, qos)
    trial.send(0.1, 0.2, 0.3)
    assert stamp_of(trial.take()) == 0.3
    assert trial.take() is None
    report = trial.report()
    assert (report.received, report.dropped) == (4, {Drop.REPLACED: 2})


def test_a_gap_before_an_image_that_was_waited_for_is_a_loss(robot, power):
    trial = Trial(robot, power, sensor())
    trial.send(0.1, 0.2, 0.3)
    assert stamp_of(trial.take(busy=False)) == 0.3
    report = trial.report()
    assert (report.received, report.dropped) == (2, {Drop.LOST: 2})


def test_what_would_have_been_held_back_anyway_was_not_too_slow(robot, power):
    trial = Trial(robot, power, sensor(), rate=10.0)
    trial.send(0.033, 0.067, 0.1)
    assert stamp_of(trial.take()) == 0.1
    assert trial.report().dropped == {Drop.MAX_RATE: 2}


def test_what_max_rate_would_have_let_through_was_replaced(robot, power):
    trial = Trial(robot, power, sensor(), rate=10.0)
    trial.send(0.033, 0.067, 0.1, 0.133, 0.167, 0.2)
    assert stamp_of(trial.take()) == 0.2
    assert trial.report().dropped == {Drop.MAX_RATE: 4, Drop.REPLACED: 1}
    trial.send(0.233, 0.267)
    assert trial.take() is None
    assert trial.report().dropped == {Drop.MAX_RATE: 6, Drop.REPLACED: 1}


def test_the_newest_camera_info_is_heard_before_the_image(robot, power):
    trial = Trial(robot, power, sensor())
    trial.describe(640)
    trial.describe(320)
    assert trial.take() is None
    assert trial.widths == [320]


def test_an_image_came_when_it_came_and_not_when_it_was_taken(robot, power):
    trial = Trial(robot, power, sensor())
    trial.send(0.1)
    arrival = trial.take()
    assert 0.15 < time.perf_counter() - arrival.at < 5


def test_an_image_that_cannot_be_unpacked_is_named(robot, power):
    trial = Trial(robot, power, sensor())
    trial.send(0.1)
    trial._images.publish(bytes(16))
    robot.spin(0.2)
    assert trial.take() is None
    report = trial.report()
    assert (report.received, report.rejected, report.dropped) == (3, 1, {Drop.REPLACED: 1})
    assert "cannot be unpacked" in report.last_error
