"""Either executor runs what a node has, and the fast one costs little."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from robot import BOTH_WAYS, PATIENCE, Robot
from std_msgs.msg import String
from std_srvs.srv import Trigger

from fastdepth_ros.node.rclpy_ways.plain import PlainWay

both_ways = pytest.mark.parametrize("way", BOTH_WAYS, indirect=True)
fast_alone = pytest.mark.parametrize("way", [way for way in BOTH_WAYS if way == "private"], indirect=True)


@both_ways
def test_messages_of_a_subscriber_wait_until_they_are_taken(robot: Robot) -> None:
    camera = robot.subscriber(String, "camera", QoSProfile(depth=3, reliability=ReliabilityPolicy.RELIABLE), raw=False)
    publisher = robot.publisher(camera.subscription)
    robot.start()
    for count in range(20):
        publisher.publish(String(data=str(count)))
    heard: list[str] = []
    robot.wait_for(lambda: heard[-1:] == ["19"], lambda: heard.extend(text.data for text, _ in camera.take()))
    assert heard == sorted(heard, key=int)
    assert not camera.take()
    camera.destroy()
    assert not camera.take()


@both_ways
def test_events_of_a_subscriber_are_handled(robot: Robot) -> None:
    found: list[int] = []
    callbacks = SubscriptionEventCallbacks(incompatible_qos=lambda event: found.append(event.total_count))
    robot.subscriber(
        String, "camera", QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE), event_callbacks=callbacks
    )
    robot.start()
    robot.other.create_publisher(String, "camera", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    robot.wait_for(lambda: found)


@both_ways
def test_timers_services_and_subscriptions_have_their_turn_while_the_camera_sends(robot: Robot) -> None:
    ticks: list[float] = []
    others: list[str] = []
    robot.node.create_timer(0.05, lambda: ticks.append(time.monotonic()))
    robot.node.create_subscription(String, "other", lambda message: others.append(message.data), 10)
    robot.node.create_service(Trigger, "service", lambda _, answer: answer)
    woken: list[float] = []
    guard = robot.node.create_guard_condition(lambda: woken.append(time.monotonic()))
    images = robot.publisher(robot.subscriber(String, "camera").subscription)
    text = robot.other.create_publisher(String, "other", 10)
    client = robot.other.create_client(Trigger, "service")
    robot.start()
    robot.wait_for(lambda: others, lambda: (text.publish(String()), images.publish(String())))
    robot.wait_for(client.service_is_ready)
    answer, seen = client.call_async(Trigger.Request()), len(ticks)
    robot.wait_for(lambda: answer.done() and len(ticks) > seen + 5, lambda: images.publish(String()))
    guard.trigger()
    robot.wait_for(lambda: len(woken) == 1, lambda: images.publish(String()))


@both_ways
def test_timers_tick_as_often_as_they_should(robot: Robot) -> None:
    slow: list[int] = []
    fast: list[int] = []
    once: list[int] = []

    def start() -> None:
        """As autostart does: once, and what it makes is noticed."""
        once.append(0)
        robot.node.destroy_timer(starter)
        robot.node.create_timer(0.02, lambda: fast.append(0))
        robot.node.create_timer(0.06, lambda: slow.append(0))

    starter = robot.node.create_timer(0.0, start)
    stopped = robot.node.create_timer(0.0, lambda: None)
    stopped.cancel()
    robot.start()
    robot.wait_for(lambda: len(slow) >= 15)
    assert len(fast) <= 3 * (len(slow) + 1)
    robot.wait_for(lambda: len(fast) > 15)
    assert len(once) == 1


@both_ways
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
    robot.start()
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


@fast_alone
def test_images_that_nobody_takes_wake_nobody(robot: Robot) -> None:
    publisher = robot.publisher(robot.subscriber(String, "camera").subscription)
    robot.start()
    robot.spin(1.5)  # events are looked for once more
    before, count = robot.wakes(), 200
    for _ in range(count):
        publisher.publish(String())
        robot.spin(0.005)
    assert robot.wakes() - before < count / 4


@both_ways
def test_it_sleeps_when_nothing_comes_whoever_joined(robot: Robot) -> None:
    publishers = [robot.node.create_publisher(String, topic, 10) for topic in ("depth", "cloud")]
    robot.start()
    heard: list[String] = []
    for topic in ("depth", "cloud"):
        robot.other.create_subscription(String, topic, heard.append, 10)
    robot.wait_for(lambda: len(heard) >= 2, lambda: [publisher.publish(String()) for publisher in publishers])
    robot.spin(0.5)
    slept = cost_of(robot, lambda: robot.spin(1.0))
    assert cost_of(robot, lambda: work(robot)) > slept


def work(robot: Robot) -> None:
    """Have the executor answer a hundred requests."""
    robot.node.create_service(Trigger, "work", lambda _, answer: answer)
    client = robot.other.create_client(Trigger, "work")
    robot.wait_for(client.service_is_ready)
    for _ in range(100):
        answer = client.call_async(Trigger.Request())
        robot.wait_for(answer.done)


def cost_of(robot: Robot, do: Callable[[], object]) -> int:
    """Processor time that the executor takes meanwhile [ns]."""
    before = robot.cost()
    do()
    return robot.cost() - before


@fast_alone
def test_timers_cost_less_than_with_rclpys_executor(robot: Robot) -> None:
    plain = Robot(PlainWay())
    costs = []
    for each in (robot, plain):
        ticks: list[int] = []
        each.node.create_timer(0.005, lambda ticks=ticks: ticks.append(0))
        each.start()
        each.wait_for(lambda ticks=ticks: len(ticks) > 10)
        before, seen = each.cost(), len(ticks)
        each.wait_for(lambda ticks=ticks, seen=seen: len(ticks) >= seen + 100)
        costs.append((each.cost() - before) / (len(ticks) - seen))
    plain.end()
    assert costs[0] < costs[1] / 2


@both_ways
def test_a_fault_of_a_callback_is_raised(robot: Robot) -> None:
    def stumble(message: String) -> None:
        raise KeyError(message.data)

    publisher = robot.publisher(robot.node.create_subscription(String, "text", stumble, 10))
    publisher.publish(String(data="missing"))
    with pytest.raises(KeyError, match="missing"):
        robot.executor.spin()


@both_ways
def test_it_ends_with_its_context(robot: Robot) -> None:
    ticks: list[int] = []
    robot.node.create_timer(0.01, lambda: ticks.append(0))
    robot.start()
    robot.wait_for(lambda: ticks)
    robot.end()


@both_ways
def test_it_can_be_stopped_while_it_waits(robot: Robot) -> None:
    ticks: list[int] = []
    timer = robot.node.create_timer(0.01, lambda: (ticks.append(0), timer.cancel()))
    robot.start()
    robot.wait_for(lambda: ticks)
    robot.executor.stop()
    robot.thread.join(PATIENCE)
    assert not robot.thread.is_alive()
