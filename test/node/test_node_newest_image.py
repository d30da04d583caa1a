"""Which image is answered, and what is said of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from robot import BOTH_WAYS, Robot
from sensor_msgs.msg import CameraInfo, Image

from fastdepth_ros.diagnostics.monitor import Drop, Monitor, Report
from fastdepth_ros.node.newest_image import NewestImage, ReceivedImage
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.parameters import Parameters

KEEP_ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""As the node's own but reliable, so that a publisher knows when a message came."""

pytestmark = pytest.mark.parametrize("way", BOTH_WAYS, indirect=True)


class Trial:
    """What the node takes of a camera, and the camera."""

    def __init__(self, robot: Robot, power: NodePower, qos: QoSProfile, rate: float = 0.0) -> None:
        self._robot = robot
        images, infos = (robot.subscriber(Image, "image", qos), robot.subscriber(CameraInfo, "camera_info", NEWEST))
        self._subscribers = {"image": images, "info": infos}
        self._publishers = {name: robot.publisher(each.subscription) for name, each in self._subscribers.items()}
        self.monitor = Monitor(0.0)
        self.widths: list[int] = []
        self._newest = NewestImage(
            images,
            infos,
            compressed=False,
            hear=self._hear,
            monitor=self.monitor,
            limit=RateLimit(rate),
            power=power,
            now=time.time,
        )
        self.send(0.0)
        assert self.take() is not None

    def _hear(self, serialized: bytes) -> None:
        self.widths.append(deserialize_message(serialized, CameraInfo).width)

    def send(self, *stamps: float) -> None:
        """Publish images, and wait until they are there."""
        messages = []
        for stamp in stamps:
            message = Image(height=2, width=2, encoding="mono8", step=2, data=bytes(4))
            message.header.stamp.sec, message.header.stamp.nanosec = 1000 + int(stamp), int(stamp % 1 * 1e9)
            messages.append(message)
        self.deliver("image", *messages)

    def describe(self, width: int) -> None:
        self.deliver("info", CameraInfo(width=width))

    def deliver(self, name: str, *messages: Any) -> None:
        self._robot.deliver(self._subscribers[name], self._publishers[name], *messages)

    def take(self, busy: bool = True) -> ReceivedImage | None:
        """Take what is there, after other work or after a wait for it."""
        return self._newest.take(time.time_ns() if busy else 0)

    def report(self) -> Report:
        return self.monitor.report(time.time())


def stamp_of(arrival: Any) -> float:
    return round(arrival.message.header.seconds - 1000, 3)


@pytest.fixture
def power(tmp_path) -> Iterator[NodePower]:
    power = NodePower(Parameters(board_root=str(tmp_path)), time.time)
    yield power
    power.close()


@pytest.mark.parametrize("qos", [NEWEST, KEEP_ALL], ids=["the newest kept", "all kept"])
def test_the_newest_image_is_answered_and_those_that_waited_are_replaced(robot, power, qos):
    trial = Trial(robot, power, qos)
    trial.send(0.1, 0.2, 0.3)
    assert stamp_of(trial.take()) == 0.3
    assert trial.take() is None
    report = trial.report()
    assert (report.received, report.dropped) == (4, {Drop.REPLACED: 2})


def test_a_gap_before_an_image_that_was_waited_for_is_a_loss(robot, power):
    trial = Trial(robot, power, NEWEST)
    trial.send(0.1, 0.2, 0.3)
    assert stamp_of(trial.take(busy=False)) == 0.3
    report = trial.report()
    assert (report.received, report.dropped) == (2, {Drop.LOST: 2})


def test_what_would_have_been_held_back_anyway_was_not_too_slow(robot, power):
    trial = Trial(robot, power, NEWEST, rate=10.0)
    trial.send(0.033, 0.067, 0.1)
    assert stamp_of(trial.take()) == 0.1
    assert trial.report().dropped == {Drop.MAX_RATE: 2}


def test_what_max_rate_would_have_let_through_was_replaced(robot, power):
    trial = Trial(robot, power, NEWEST, rate=10.0)
    trial.send(0.033, 0.067, 0.1, 0.133, 0.167, 0.2)
    assert stamp_of(trial.take()) == 0.2
    assert trial.report().dropped == {Drop.MAX_RATE: 4, Drop.REPLACED: 1}
    trial.send(0.233, 0.267)
    assert trial.take() is None
    assert trial.report().dropped == {Drop.MAX_RATE: 6, Drop.REPLACED: 1}


def test_the_newest_camera_info_is_heard_before_the_image(robot, power):
    trial = Trial(robot, power, NEWEST)
    trial.describe(640)
    trial.describe(320)
    assert trial.take() is None
    assert trial.widths == [320]


def test_an_image_came_when_it_came_and_not_when_it_was_taken(robot, power):
    trial = Trial(robot, power, NEWEST)
    before = time.perf_counter()
    trial.send(0.1)
    there = time.perf_counter()
    assert before < trial.take().at < there


def test_an_image_that_cannot_be_unpacked_is_named(robot, power):
    trial = Trial(robot, power, NEWEST)
    trial.send(0.1)
    trial.deliver("image", bytes(16))
    assert trial.take() is None
    report = trial.report()
    assert (report.received, report.rejected, report.dropped) == (3, 1, {Drop.REPLACED: 1})
    assert "cannot be unpacked" in report.last_error
