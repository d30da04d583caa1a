"""Frames are found as tf2 finds them; what is unknown, late, in a circle or jumps is named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.anchoring.poses import IDENTITY, Pose, quaternion_of
from fastdepth_ros.anchoring.transforms import MOST_FRAMES, Known, TransformBuffer
from fastdepth_ros.errors import AnchorError

LEVEL = (0.0, 0.0, 0.0, 1.0)


def turned(yaw):
    return quaternion_of(0, 0, yaw)


def robot(tolerance=0.5):
    """A map with odometry in it, and a robot with a camera and a lidar that drives along x at 1 m/s."""
    buffer = TransformBuffer(tolerance)
    buffer.put("base", "camera", 0.0, (0.2, 0.0, 0.5), LEVEL, is_static=True)
    buffer.put("base", "laser", 0.0, (0.0, 0.0, 0.1), turned(math.pi / 2), is_static=True)
    for step in range(11):
        buffer.put("odom", "base", step / 10, (step / 10, 0.0, 0.0), turned(step / 10))
        buffer.put("map", "odom", step / 10, (5.0, 0.0, 0.0), LEVEL)
    return buffer


def test_frames_that_are_fixed_to_each_other_are_found_at_any_time():
    pose = robot().lookup("camera", "laser", 1e9)
    np.testing.assert_allclose(pose.translation, (-0.2, 0, -0.4))
    np.testing.assert_allclose(pose.apply(np.array([[1.0, 0, 0]])), [[-0.2, 1, -0.4]], atol=1e-12)


def test_a_frame_up_the_tree_is_found_at_the_time_that_is_asked_for():
    buffer = robot()
    np.testing.assert_allclose(buffer.lookup("map", "base", 0.25).translation, (5.25, 0, 0))
    seen = buffer.lookup("camera", "map", 0.25).apply(np.array([[5.25, 0, 0.5]]))[0]
    np.testing.assert_allclose(seen, (-0.2, 0, 0), atol=1e-12)


def test_between_two_samples_the_way_and_the_turn_are_even():
    half = robot().lookup("odom", "base", 0.75)
    expected = Pose.of((0.75, 0, 0), turned(0.75))
    np.testing.assert_allclose(half.rotation, expected.rotation, atol=1e-9)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.01, 0.99))
def test_a_turn_between_two_samples_is_a_rotation(one, other, share):
    buffer = TransformBuffer()
    buffer.put("a", "b", 0.0, (0, 0, 0), quaternion_of(one, other, 0))
    buffer.put("a", "b", 1.0, (0, 0, 0), quaternion_of(other, 0, one))
    rotation = buffer.lookup("a", "b", share).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_frame_is_where_it_is_in_itself():
    assert robot().lookup("camera", "/camera", 0.0) is IDENTITY
    assert Known({}).lookup("camera", "camera", 0.0) is IDENTITY


def test_leading_slashes_of_old_drivers_do_not_matter():
    buffer = TransformBuffer()
    buffer.put("/base", "/camera", 0.0, (1, 0, 0), LEVEL, is_static=True)
    assert buffer.lookup("base", "camera", 0.0).translation[0] == 1


def test_an_unknown_frame_is_named_with_the_remedy():
    with pytest.raises(
        AnchorError, match=r"no tf between camera and sonar: nobody says where sonar is.*anchor_extrinsics"
    ):
        robot().lookup("camera", "sonar", 0.5)
    with pytest.raises(AnchorError, match="no tf between camera and sonar"):
        Known({"scan": IDENTITY}).lookup("camera", "sonar", 0.0)


def test_two_trees_are_named():
    buffer = robot()
    buffer.put("world", "drone", 0.0, (0, 0, 0), LEVEL)
    with pytest.raises(AnchorError, match="trees of their own"):
        buffer.lookup("camera", "drone", 0.0)


def test_tf_that_stopped_is_named_with_how_long_ago():
    buffer = robot(tolerance=0.2)
    buffer.lookup("camera", "map", 1.15)
    with pytest.raises(AnchorError, match=r"nearest of base is 2.00 s older.*still"):
        buffer.lookup("camera", "map", 3.0)


def test_tf_of_another_clock_is_named():
    with pytest.raises(AnchorError, match="newer.*clocks"):
        robot().lookup("camera", "map", -50.0)
    for stamp in (-(2.0**31), 2.0**31):
        with pytest.raises(AnchorError, match="from another clock.*clocks"):
            robot().lookup("camera", "map", stamp)


def test_a_circle_is_named_and_does_not_hang():
    buffer = robot()
    buffer.put("laser", "odom", 1.0, (0, 0, 0), LEVEL)
    with pytest.raises(AnchorError, match="circle"):
        buffer.lookup("camera", "map", 1.0)
    assert "two parents" in buffer.problem


def test_a_jump_is_noted_and_nothing_is_assumed_between_here_and_there():
    buffer = robot()
    buffer.put("odom", "base", 1.1, (50.0, 0, 0), LEVEL)
    assert "base jumped 49.0" in buffer.problem
    assert buffer.lookup("odom", "base", 1.05).translation[0] == 50.0


def test_two_robots_whose_frames_have_one_name_are_noted_whoevers_stamps_are_older():
    buffer = robot()
    buffer.put("odom", "base", 1.05, (50.0, 0, 0), LEVEL)
    assert "base jumped" in buffer.problem
    buffer = robot()
    buffer.put("odom", "base", 0.95, (50.0, 0, 0), LEVEL)
    assert "base jumped" in buffer.problem


QUARTER = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))


def test_two_places_of_a_static_frame_are_told_until_one_is_said_twice():
    """As of a robot's description, and a static_transform_publisher that somebody added."""
    buffer = TransformBuffer()
    buffer.put("base", "laser", 0.0, (0.1, 0.0, 0.2), LEVEL, is_static=True)
    assert not buffer.doubles
    buffer.put("base", "laser", 0.0, (0.1, 0.3, 0.2), QUARTER, is_static=True)
    assert (
        buffer.doubles["laser"]
        == "/tf_static has laser at two places, 0.30 m and 90 degrees apart: the later one holds"
    )
    buffer.put("base", "laser", 5.0, (0.1, 0.3, 0.2), QUARTER, is_static=True)
    assert not buffer.doubles
    assert not buffer.problem


def test_a_recording_that_starts_again_begins_anew():
    buffer = robot()
    buffer.put("odom", "base", 0.0, (0.0, 0, 0), LEVEL)
    assert buffer.lookup("odom", "base", 0.05).translation[0] == 0
    assert not buffer.problem


BAD = [
    ("", "a", (0, 0, 0), LEVEL),
    ("a", "", (0, 0, 0), LEVEL),
    ("a", "/a", (0, 0, 0), LEVEL),
    ("base", "camera", (math.nan, 0, 0), LEVEL),
    ("base", "camera", (0, 0, 0), (0, 0, 0, 0)),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_transform_that_is_none_is_counted_and_what_was_known_stays(bad):
    buffer = robot()
    parent, child, translation, quaternion = bad
    buffer.put(parent, child, 1.0, translation, quaternion)
    assert buffer.problems == 1
    assert buffer.lookup("base", "camera", 1.0).translation[2] == 0.5


def test_frames_and_samples_are_bounded():
    buffer = TransformBuffer()
    for number in range(MOST_FRAMES + 9):
        buffer.put("root", f"f{number}", 0.0, (0, 0, 0), LEVEL)
    assert buffer.problems == 9
    buffer.lookup("root", "f0", 0.0)


NAMES = st.sampled_from(["a", "b", "c", "d", "/a", ""])
NUMBERS = st.floats(width=32) | st.sampled_from([math.nan, math.inf, 0.0])


@given(
    st.lists(
        st.tuples(
            NAMES, NAMES, NUMBERS, st.tuples(*[NUMBERS] * 3), st.just(LEVEL) | st.tuples(*[NUMBERS] * 4), st.booleans()
        ),
        max_size=12,
    ),
    NAMES,
    NAMES,
    NUMBERS,
)
def test_whatever_tf_says_a_pose_is_found_or_an_error_that_helps(said, target, source, stamp):
    buffer = TransformBuffer()
    for each in said:
        buffer.put(*each)
    try:
        pose = buffer.lookup(target, source, stamp)
    except AnchorError as error:
        assert error.remedy  # noqa: PT017
    else:
        assert np.isfinite(pose.rotation).all()


def test_what_does_not_move_is_found_once_and_anew_when_tf_says_otherwise():
    buffer = robot()
    fixed = buffer.lookup("camera", "laser", 0.0)
    assert buffer.lookup("camera", "laser", 0.3) is fixed
    buffer.put("odom", "base", 1.1, (1.1, 0.0, 0.0), LEVEL)
    assert buffer.lookup("camera", "laser", 1.1) is fixed, "the robot drives, and both with it"
    buffer.put("base", "laser", 0.0, (0.3, 0.0, 0.1), LEVEL, is_static=True)
    np.testing.assert_allclose(buffer.lookup("camera", "laser", 0.3).translation, (0.1, 0, -0.4))
    buffer.put("neck", "camera", 0.0, (0.0, 0.0, 0.0), LEVEL, is_static=True)
    with pytest.raises(AnchorError, match="trees of their own"):
        buffer.lookup("camera", "laser", 0.3)
    for step in range(3):
        buffer.put("base", "neck", step / 10, (0.2 + step / 10, 0.0, 0.5), LEVEL)
    for step in range(3):
        pose = buffer.lookup("camera", "laser", step / 10)
        np.testing.assert_allclose(pose.translation, (0.1 - step / 10, 0, -0.4), atol=1e-12)


def test_many_pairs_of_fixed_frames_take_no_memory_without_end():
    buffer = TransformBuffer()
    for number in range(60):
        buffer.put("base", f"frame{number}", 0.0, (float(number), 0.0, 0.0), LEVEL, is_static=True)
    for one in range(60):
        for other in range(60):
            pose = buffer.lookup(f"frame{one}", f"frame{other}", 0.0)
            np.testing.assert_allclose(pose.translation, (other - one, 0, 0))
    assert len(buffer._fixed) <= MOST_FRAMES
