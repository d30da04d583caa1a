"""The node's clock goes with the computer's, or with /clock."""

from __future__ import annotations

import time

import pytest
from rclpy.clock import Clock, ClockType
from rclpy.serialization import serialize_message
from rclpy.time import Time
from rosgraph_msgs.msg import Clock as ClockMessage

from fastdepth_ros.node.clock import NodeClock, checked


@pytest.fixture
def clock():
    return Clock(clock_type=ClockType.ROS_TIME)


def play(clock, seconds):
    """What rclpy does with ``use_sim_time`` and a message on /clock."""
    clock._set_ros_time_is_active(True)
    clock.set_ros_time_override(Time(seconds=seconds, clock_type=ClockType.ROS_TIME))


def test_it_goes_with_the_computers_clock(clock):
    now = NodeClock(clock).now
    before = time.time()
    assert before <= now() <= time.time()


def test_it_goes_with_a_clock_that_is_played_from_the_start(clock):
    play(clock, 5)
    assert NodeClock(clock).now() == 5.0


def test_use_sim_time_may_change_while_the_node_runs(clock):
    now = NodeClock(clock).now
    clock._set_ros_time_is_active(True)
    assert now() == 0.0, "before the first message on /clock"
    play(clock, 7)
    assert now() == 7.0
    clock._set_ros_time_is_active(False)
    before = time.time()
    assert before <= now() <= time.time()


def test_a_clock_that_nobody_listens_to_any_more_goes_in_peace(clock):
    NodeClock(clock)
    play(clock, 3)
    assert clock.now().nanoseconds == 3_000_000_000


def test_what_is_no_time_on_the_clocks_topic_is_not_heard():
    heard = []
    hear = checked(heard.append)
    played = ClockMessage()
    played.clock.sec, played.clock.nanosec = 7, 5
    before_1970 = serialize_message(ClockMessage())[:4] + b"\xff\xff\xff\xff" + bytes(4)
    for data in (b"", b"\0\1\0\1", b"\0\1\0\0" + bytes(7), b"\0\2\0\0" + bytes(8), before_1970):
        hear(data)
    assert heard == []
    hear(serialize_message(played))
    assert heard == [played]
