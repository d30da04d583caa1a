"""Imu and TFMessage, as recorded: which way is down, and where frames are."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from anchor_messages import header, serialized, tf_message_of, transform_of
from geometry_msgs.msg import Quaternion, Vector3
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Imu

from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.motion import read_down, read_transform, read_transforms

NAMES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=9)
NUMBERS = st.floats(allow_nan=False)


def imu_of(quaternion=None, acceleration=(0.0, 0.0, 9.81)):
    message = Imu(header=header("imu"))
    x, y, z = acceleration
    message.linear_acceleration = Vector3(x=x, y=y, z=z)
    if quaternion is None:
        message.orientation_covariance[0] = -1.0
    else:
        x, y, z, w = quaternion
        message.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return message


def test_a_level_unit_says_that_down_is_minus_z():
    for message in (imu_of((0.0, 0.0, 0.0, 1.0)), imu_of(), imu_of((0.0, 0.0, 0.0, 0.0))):
        np.testing.assert_allclose(read_down(serialized(message)).direction, (0, 0, -1), atol=1e-12)


def test_orientation_and_acceleration_of_a_pitched_unit_agree():
    pitch = 0.4  # nose down: x points below the horizon, so down is partly +x
    by_angle = read_down(serialized(imu_of((0.0, math.sin(pitch / 2), 0.0, math.cos(pitch / 2)))))
    by_rest = read_down(serialized(imu_of(None, (-9.81 * math.sin(pitch), 0.0, 9.81 * math.cos(pitch)))))
    np.testing.assert_allclose(by_angle.direction, (math.sin(pitch), 0, -math.cos(pitch)), atol=1e-12)
    np.testing.assert_allclose(by_rest.direction, by_angle.direction, atol=1e-12)


@pytest.mark.parametrize("acceleration", [(0.0, 0.0, 0.0), (4.0, 0.0, 9.81), (20.0, 0.0, 0.0), (math.nan, 0.0, 0.0)])
def test_an_orientation_holds_while_the_unit_moves_or_feels_nothing(acceleration):
    found = read_down(serialized(imu_of((0.0, 0.0, 0.0, 1.0), acceleration)))
    np.testing.assert_allclose(found.direction, (0, 0, -1), atol=1e-12)


@pytest.mark.parametrize(
    "acceleration", [(0.0, 0.0, 0.0), (9.0, 9.0, 9.0), (math.nan, 0.0, 9.81), (math.inf, 0.0, 0.0)]
)
def test_a_unit_that_moves_does_not_say_what_is_down(acceleration):
    found = read_down(serialized(imu_of(None, acceleration)))
    assert found.direction is None
    assert "rest" in found.why


def test_an_orientation_that_nobody_filled_in_gives_way_to_the_acceleration():
    tilted = (-9.81 * math.sin(0.7), 0.0, 9.81 * math.cos(0.7))
    found = read_down(serialized(imu_of((0.0, 0.0, 0.0, 1.0), tilted)))
    np.testing.assert_allclose(found.direction, (math.sin(0.7), 0, -math.cos(0.7)), atol=1e-12)


@pytest.mark.parametrize("angle", [0.7, 3.1])
def test_a_unit_whose_acceleration_contradicts_its_orientation_does_not_say_what_is_down(angle):
    """Fields in two frames, or gravity downwards as some drivers send it."""
    message = imu_of((math.sin(0.1), 0.0, 0.0, math.cos(0.1)), (9.81 * math.sin(angle), 0.0, 9.81 * math.cos(angle)))
    message.orientation_covariance[0] = 0.01
    found = read_down(serialized(message))
    assert found.direction is None
    assert "degrees from down by its acceleration" in found.why
    assert "upwards" in found.remedy


@given(NAMES, NAMES, st.tuples(*[NUMBERS] * 3), st.tuples(*[NUMBERS] * 4))
def test_every_field_of_a_transform_is_read(parent, child, translation, quaternion):
    message = transform_of(parent, child, translation, quaternion, sec=-3, nanosec=5)
    assert read_transform(serialized(message)) == ((-3, 5, parent), child, translation, quaternion)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=5))
def test_all_transforms_of_a_message_are_read(names):
    found = read_transforms(tf_message_of(*(transform_of(*pair, (1.0, 2.0, 3.0)) for pair in names)))
    assert [(each.header.frame_id, each.child) for each in found] == names
    assert all(each.translation == (1, 2, 3) and each.quaternion == (0, 0, 0, 1) for each in found)


def test_one_transform_in_a_message_lies_as_rclpy_puts_it():
    message = transform_of("odom", "base_link", (1.0, 2.0, 3.0))
    ours = tf_message_of(message)
    assert read_transforms(ours) == [read_transform(serialized(message))]


def test_a_message_that_says_a_billion_transforms_is_refused():
    with pytest.raises(AnchorError, match="transforms"):
        read_transforms(bytes([0, 1, 0, 0]) + b"\xff" * 40)


MESSAGES = {
    read_down: serialized(imu_of()),
    read_transforms: tf_message_of(transform_of("a", "b"), transform_of("b", "c")),
}


@pytest.mark.parametrize("reads", MESSAGES, ids=lambda each: each.__name__)
@given(data=st.data())
def test_a_damaged_message_is_read_or_refused_and_nothing_else(reads, data):
    good = MESSAGES[reads]
    at, damage = data.draw(st.integers(0, len(good) - 1)), data.draw(st.binary(min_size=1, max_size=8))
    length = data.draw(st.integers(0, len(good)))
    for spoilt in (good[:at] + damage + good[at + len(damage) :], good[:length], damage):
        with suppress(AnchorError):
            reads(spoilt)
