"""The shorter way of the camera's messages leaves nothing else behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import HistoryPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from std_srvs.srv import Trigger

from fastdepth_ros.node.executor import NodeExecutor

PATIENCE = 20.0
pytestmark = pytest.mark.usefixtures("domain")


class Counting(NodeExecutor):
    """Counts how often rclpy is asked what is ready."""

    asked = 0

    def spin_once(self, timeout_sec: float | None = None) -> None:
        self.asked += 1
        super().spin_once(timeout_sec)


class Robot:
    """A node whose executor is on trial, in a thread, and another node beside it, which the test spins itself."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(args=[], context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node, self.other = (rclpy.create_node(name, context=self.context) for name in ("tried", "other"))
        self.heard: list[str] = []
        self.numbers: list[int] = []
        self.camera: list[Any] = [self.node.create_subscription(String, "camera", self._hear, 10)]
        self.executor = Counting(self.node, lambda: self.camera)
        self.thread = Thread(target=self.executor.spin)
        self._spinner = SingleThreadedExecutor(context=self.context)
        self._spinner.add_node(self.other)

    def _hear(self, message: String, info: dict[str, Any]) -> None:
        self.heard.append(message.data)
        self.numbers.append(info["publication_sequence_number"])

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._spinner.spin_once(timeout_sec=0.01)

    def wait_for(self, condition: Callable[[], object], each: Callable[[], object] = lambda: None) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            each()
            self._spinner.spin_once(timeout_sec=0.02)

    def end(self) -> None:
        rclpy.try_shutdown(context=self.context)
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def robot() -> Iterator[Robot]:
    robot = Robot()
    yield robot
    if robot.thread.is_alive():
        robot.end()


def test_messages_of_the_camera_do_not_go_through_rclpy(robot: Robot) -> None:
    publisher = robot.other.create_publisher(String, "camera", 10)
    robot.thread.start()
    robot.wait_for(lambda: robot.heard, lambda: publisher.publish(String(data="first")))
    robot.spin(1.0)
    before, asked = len(robot.heard), robot.executor.asked
    for count in range(50):
        publisher.publish(String(data=str(count)))
        robot.spin(0.01)
    robot.wait_for(lambda: len(robot.heard) == before + 50)
    assert robot.heard[before:] == [str(count) for count in range(50)]
    assert robot.numbers[before:] == list(range(robot.numbers[before], robot.numbers[before] + 50))
    assert robot.executor.asked - asked <= 5


def three_infos(robot: Robot, qos: QoSProfile | int) -> Any:
    """Send what comes with images three times, and no image yet; the publisher for that."""
    robot.camera.append(robot.node.create_subscription(String, "info", robot._hear, qos))
    image, info = (robot.other.create_publisher(String, topic, 10) for topic in ("camera", "info"))
    robot.thread.start()
    robot.wait_for(
        lambda: {"image", "info"} <= set(robot.heard),
        lambda: (info.publish(String(data="info")), image.publish(String(data="image"))),
    )
    robot.spin(1.5)
    robot.heard.clear()
    for count in range(3):
        info.publish(String(data=f"info {count}"))
        robot.spin(0.02)
    return image


def test_what_comes_with_an_image_wakes_nobody_and_is_taken_before_it(robot: Robot) -> None:
    image = three_infos(robot, 10)
    assert not robot.heard
    image.publish(String(data="image"))
    robot.wait_for(lambda: "image" in robot.heard)
    assert robot.heard == ["info 0", "info 1", "info 2", "image"]


@pytest.mark.parametrize("qos", [QoSProfile(depth=1), QoSProfile(history=HistoryPolicy.KEEP_ALL)], ids=["one", "all"])
def test_what_is_kept_of_it_is_taken_and_no_more(robot: Robot, qos: QoSProfile) -> None:
    image = three_infos(robot, qos)
    image.publish(String(data="image"))
    robot.wait_for(lambda: "image" in robot.heard)
    kept = ["info 2"] if qos.depth == 1 else ["info 0", "info 1", "info 2"]
    assert robot.heard == [*kept, "image"]


def test_what_comes_without_an_image_is_taken_with_the_next_timer(robot: Robot) -> None:
    robot.camera.append(robot.node.create_subscription(String, "info", robot._hear, 10))
    robot.node.create_timer(0.3, lambda: None)
    info = robot.other.create_publisher(String, "info", 10)
    robot.thread.start()
    robot.wait_for(lambda: robot.heard, lambda: info.publish(String(data="info")))
    robot.spin(1.5)
    robot.heard.clear()
    asked = robot.executor.asked
    info.publish(String(data="another"))
    robot.wait_for(lambda: robot.heard == ["another"])
    assert robot.executor.asked - asked <= 1


def test_timers_services_and_other_subscriptions_have_their_turn_while_the_camera_sends(robot: Robot) -> None:
    ticks: list[float] = []
    others: list[str] = []
    robot.node.create_timer(0.05, lambda: ticks.append(time.monotonic()))
    robot.node.create_subscription(String, "other", lambda message: others.append(message.data), 10)
    robot.node.create_service(Trigger, "service", lambda _, answer: answer)
    woken: list[float] = []
    guard = robot.node.create_guard_condition(lambda: woken.append(time.monotonic()))
    images, text = (robot.other.create_publisher(String, topic, 10) for topic in ("camera", "other"))
    client = robot.other.create_client(Trigger, "service")
    robot.thread.start()
    robot.wait_for(lambda: others and robot.heard, lambda: (text.publish(String()), images.publish(String())))
    robot.wait_for(client.service_is_ready)
    answer, seen = client.call_async(Trigger.Request()), len(ticks)
    robot.wait_for(lambda: answer.done() and len(ticks) > seen + 5, lambda: images.publish(String()))
    guard.trigger()
    robot.wait_for(lambda: len(woken) == 1, lambda: images.publish(String()))


def test_timers_do_not_go_through_rclpy(robot: Robot) -> None:
    ticks: list[float] = []
    once: list[float] = []

    def start() -> None:
        """As autostart does: once, and what it makes is noticed."""
        once.append(time.monotonic())
        robot.node.destroy_timer(starter)
        robot.node.create_timer(0.02, lambda: ticks.append(time.monotonic()))

    starter = robot.node.create_timer(0.0, start)
    stopped = robot.node.create_timer(0.0, lambda: None)
    stopped.cancel()
    robot.thread.start()
    robot.wait_for(lambda: len(ticks) > 5)
    robot.spin(1.5)  # events are looked for once more
    asked, seen = robot.executor.asked, len(ticks)
    robot.wait_for(lambda: len(ticks) >= seen + 50)
    assert robot.executor.asked - asked <= 2
    assert len(once) == 1
    assert (ticks[seen + 49] - ticks[seen - 1]) / 50 > 0.019


def test_what_is_made_and_destroyed_on_the_way_is_noticed(robot: Robot) -> None:
    """As a lifecycle node does: subscriptions come with one transition and go with another."""
    publisher = robot.other.create_publisher(String, "camera", 10)

    def toggle(_: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        if robot.camera:
            robot.node.destroy_subscription(robot.camera.pop())
        else:
            robot.camera.append(robot.node.create_subscription(String, "camera", robot._hear, 10))
        return answer

    robot.node.create_service(Trigger, "toggle", toggle)
    client = robot.other.create_client(Trigger, "toggle")
    robot.thread.start()
    robot.wait_for(client.service_is_ready)
    for _ in range(2):
        robot.wait_for(lambda: robot.heard, lambda: publisher.publish(String()))
        off = client.call_async(Trigger.Request())
        robot.wait_for(off.done)
        robot.heard.clear()
        for _ in range(5):
            publisher.publish(String())
            robot.spin(0.02)
        assert not robot.heard
        on = client.call_async(Trigger.Request())
        robot.wait_for(on.done)


def test_it_sleeps_when_nothing_comes_whoever_joined(robot: Robot) -> None:
    publishers = [robot.node.create_publisher(String, topic, 10) for topic in ("depth", "cloud")]
    robot.thread.start()
    heard: list[String] = []
    for topic in ("depth", "cloud"):
        robot.other.create_subscription(String, topic, heard.append, 10)
    robot.wait_for(lambda: len(heard) >= 2, lambda: [publisher.publish(String()) for publisher in publishers])
    robot.spin(0.5)
    asked = robot.executor.asked
    robot.spin(1.0)
    assert robot.executor.asked - asked <= 2


def test_a_fault_of_a_callback_is_raised(robot: Robot) -> None:
    publisher = robot.other.create_publisher(String, "camera", 10)

    def stumble(message: String, _: dict[str, Any]) -> None:
        raise KeyError(message.data)

    robot.camera[0].callback = stumble
    robot.wait_for(publisher.get_subscription_count)
    robot.spin(0.5)
    publisher.publish(String(data="missing"))
    with pytest.raises(KeyError, match="missing"):
        robot.executor.spin()


def test_it_ends_with_its_context(robot: Robot) -> None:
    robot.thread.start()
    time.sleep(0.2)
    robot.end()


def test_its_shutdown_ends_it(robot: Robot) -> None:
    robot.thread.start()
    time.sleep(0.2)
    robot.executor.shutdown()
    robot.thread.join(PATIENCE)
    assert not robot.thread.is_alive()
