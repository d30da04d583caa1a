"""Poses compose as tf's do; what a robot's owner writes down is read, or refused with what is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.anchoring.poses import IDENTITY, OPTICAL, Pose, parse_extrinsics, quaternion_of
from fastdepth_ros.errors import AnchorError, SettingError

SOURCES = ("anchors", "scan", "range")
ANGLES = st.floats(-math.pi, math.pi)
POSES = st.builds(
    lambda x, y, z, r, p, w: Pose.of((x, y, z), quaternion_of(r, p, w)), *[st.floats(-9, 9)] * 3, *[ANGLES] * 3
)


def same(one, other):
    np.testing.assert_allclose(one.rotation, other.rotation, atol=1e-9)
    np.testing.assert_allclose(one.translation, other.translation, atol=1e-8)


@given(POSES, POSES)
def test_a_pose_after_another_is_that_of_both(one, other):
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose((one @ other).apply(points), one.apply(other.apply(points)), atol=1e-9)


@given(POSES)
def test_a_pose_and_its_inverse_are_none(pose):
    same(pose @ pose.inverse(), IDENTITY)
    same(pose.inverse() @ pose, IDENTITY)


def test_angles_are_about_fixed_axes_as_urdf_has_them():
    r, p, y = 0.3, -0.5, 1.1
    rx = np.array(((1, 0, 0), (0, math.cos(r), -math.sin(r)), (0, math.sin(r), math.cos(r))))
    ry = np.array(((math.cos(p), 0, math.sin(p)), (0, 1, 0), (-math.sin(p), 0, math.cos(p))))
    rz = np.array(((math.cos(y), -math.sin(y), 0), (math.sin(y), math.cos(y), 0), (0, 0, 1)))
    np.testing.assert_allclose(Pose.of((0, 0, 0), quaternion_of(r, p, y)).rotation, rz @ ry @ rx, atol=1e-12)


def test_an_optical_frame_looks_forward():
    np.testing.assert_allclose(OPTICAL.apply(np.array([[0.0, 0.0, 1.0]])), [[1, 0, 0]])  # ahead
    np.testing.assert_allclose(OPTICAL.apply(np.array([[1.0, 0.0, 0.0]])), [[0, -1, 0]])  # right
    np.testing.assert_allclose(OPTICAL.apply(np.array([[0.0, 1.0, 0.0]])), [[0, 0, -1]])  # down


@pytest.mark.parametrize(
    "quaternion", [(0, 0, 0, 0), (0, 0, 0, 2), (math.nan, 0, 0, 1), (math.inf, 0, 0, 1), (1e200, 0, 0, 1), (1, 1, 1, 1)]
)
def test_a_quaternion_that_is_none_is_refused(quaternion):
    with pytest.raises(AnchorError, match="quaternion"):
        Pose.of((0, 0, 0), quaternion)


@pytest.mark.parametrize("translation", [(math.nan, 0, 0), (0, -math.inf, 0), (0, 0, 1e30)])
def test_a_translation_that_is_none_is_refused(translation):
    with pytest.raises(AnchorError):
        Pose.of(translation, (0, 0, 0, 1))


def test_extrinsics_are_read_per_source_with_angles_or_a_quaternion():
    poses = parse_extrinsics("scan=0.1 0 -0.05 0 0 1.5; range=1, 2, 3, 0, 0, 0, 1;", SOURCES)
    same(poses["scan"], Pose.of((0.1, 0, -0.05), quaternion_of(0, 0, 1.5)))
    same(poses["range"], Pose.of((1, 2, 3), (0, 0, 0, 1)))
    assert set(poses) == {"scan", "range"}


@pytest.mark.parametrize("text", ["", " ; "])
def test_no_extrinsics_are_none(text):
    assert parse_extrinsics(text, SOURCES) == {}


@pytest.mark.parametrize(
    "text",
    [
        "scan=0.1 0 0 0 0 180",
        "scan=0.1 0 0 -90 0 0",
        "scan=120 0 -50 0 0 0",
        "scan",
        "sonar=0 0 0 0 0 0",
        "scan=1 2 3",
        "scan=0 0 0 0 0 a",
        "scan=0 0 0 0 0 nan",
        "range=0 0 0 0 0 0 0",
        "1 2 3 4 5 6",
    ],
)
def test_extrinsics_that_cannot_be_are_refused_with_an_example(text):
    with pytest.raises(SettingError, match="as scan="):
        parse_extrinsics(text, SOURCES)


@given(st.text(max_size=60))
def test_any_text_is_extrinsics_or_is_refused(text):
    try:
        assert set(parse_extrinsics(text, SOURCES)) <= set(SOURCES)
    except SettingError:
        return
