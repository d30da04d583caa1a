"""The shorter way of timers leaves nothing else behind."""

from __future__ import annotations

import time

import pytest
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from robot import PATIENCE, Robot
from std_msgs.msg import String
from std_srvs.srv import Trigger


def test_what_was_put_aside_is_left_alone_and_wakes_nobody(robot: Robot) -> None:
    camera = robot.aside(String, "camera")
    publisher = robot.publisher(camera)
    robot.thread.start()
    robot.spin(1.5)  # events are looked for once more
    asked = robot.executor.asked
    for count in range(50):
        publisher.publish(String(data=str(count)))
        robot.spin(0.01)
    assert robot.executor.asked - asked <= 2
    taken, _ = camera.handle.take_message(String, False)
    assert taken.data == "49"
    assert not robot.strays


def test_events_of_what_was_put_aside_are_handled(robot: Robot) -> None:
    found: list[int] = []
    callbacks = SubscriptionEventCallbacks(incompatible_qos=lambda event: found.append(event.total_count))
    robot.aside(
        String, "camera", QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE), event_callbacks=callbacks
    )
    robot.thread.start()
    robot.other.create_publisher(String, "camera", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    robot.wait_for(lambda: found)


def test_timers_services_and_subscriptions_have_their_turn_while_the_camera_sends(robot: Robot) -> None:
    ticks: list[float] = []
    others: list[str] = []
    robot.node.create_timer(0.05, lambda: ticks.append(time.monotonic()))
    robot.node.create_subscription(String, "other", lambda message: others.append(message.data), 10)
    robot.node.create_service(Trigger, "service", lambda _, answer: answer)
    woken: list[float] = []
    guard = robot.node.create_guard_condition(lambda: woken.append(time.monotonic()))
    images = robot.publisher(robot.aside(String, "camera"))
    text = robot.other.create_publisher(String, "other", 10)
    client = robot.other.create_client(Trigger, "service")
    robot.thread.start()
    robot.wait_for(lambda: others, lambda: (text.publish(String()), images.publish(String())))
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
    """As a lifecycle node does: things come with one transition and go with another."""
    publisher = robot.other.create_publisher(String, "text", 10)
    heard: list[String] = []
    subscriptions = [robot.node.create_subscription(String, "text", heard.append, 10)]

    def toggle(_: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        if subscriptions:
            robot.node.destroy_subscription(subscriptions.pop())
        else:
            subscriptions.append(robot.node.create_subscription(String, "text", heard.append, 10))
        return answer

    robot.node.create_service(Trigger, "toggle", toggle)
    client = robot.other.create_client(Trigger, "toggle")
    robot.thread.start()
    robot.wait_for(client.service_is_ready)
    for _ in range(2):
        robot.wait_for(lambda: heard, lambda: publisher.publish(String()))
        off = client.call_async(Trigger.Request())
        robot.wait_for(off.done)
        heard.clear()
        for _ in range(5):
            publisher.publish(String())
            robot.spin(0.02)
        assert not heard
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
    def stumble(message: String) -> None:
        raise KeyError(message.data)

    publisher = robot.publisher(robot.node.create_subscription(String, "text", stumble, 10))
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
