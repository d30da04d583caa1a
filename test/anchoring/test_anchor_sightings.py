"""What was measured is found in the picture where it is seen, and what is not seen is counted by its cause."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.cones import ConeMeasurement, rays_of
from fastdepth_ros.anchoring.in_view import HIDDEN, IS_BEHIND, NO_NUMBER, OUTSIDE
from fastdepth_ros.anchoring.poses import IDENTITY, OPTICAL, Pose, quaternion_of
from fastdepth_ros.anchoring.selection import choose
from fastdepth_ros.anchoring.sightings import PointMeasurement, lagged, placed
from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View

PICTURE = Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5)
SEEN = View.of(PAPER_VIEW, 640, 480, 224, 224).intrinsics(PICTURE)
EMPTY = np.zeros((112, 112), np.float32)
AHEAD = OPTICAL.inverse()
"""Pose of a sensor at the camera that looks where it looks: x forward."""


def wall(depth):
    return np.full((112, 112), depth, np.float32)


def sight(points, answer=EMPTY, sigmas=None, pose=IDENTITY, lag=0.0, relative=False):
    points = np.asarray(points, float).reshape(-1, 3)
    measurement, lost = placed("anchors", points, None if sigmas is None else np.square(sigmas), pose, relative)
    found = measurement.sight(answer, SEEN, lag)
    return found.anchors, {**lost, **found.left_out}


def test_a_point_ahead_is_in_the_middle_of_the_view():
    anchors, left_out = sight([[0, 0, 3]])
    np.testing.assert_allclose(anchors.pixels, [[111.5, 111.5]], atol=0.6)
    assert anchors.depths == 3
    assert np.isnan(anchors.sigmas).all()
    assert not left_out


@given(st.floats(0, 223), st.floats(0, 223), st.floats(0.1, 90))
def test_a_point_on_a_pixels_ray_is_found_at_that_pixel(x, y, depth):
    point = [(x - SEEN.cx) / SEEN.fx * depth, (y - SEEN.cy) / SEEN.fy * depth, depth]
    anchors, _ = sight([point])
    np.testing.assert_allclose(anchors.pixels, [[x, y]], atol=1e-3)
    np.testing.assert_allclose(anchors.depths, depth, rtol=1e-6)


def test_depth_is_along_the_axis_and_not_along_the_ray():
    anchors, _ = sight([[0.8, 0.5, 2]])
    assert anchors.depths == 2


def test_points_of_another_frame_come_through_its_pose():
    lidar = Pose.of((0.1, 0, -0.05), quaternion_of(0, 0, 0))  # in the camera's body frame
    anchors, _ = sight([[2.9, 0, 0.05]], pose=AHEAD @ lidar)
    np.testing.assert_allclose(anchors.depths, 3)
    np.testing.assert_allclose(anchors.pixels, [[SEEN.cx, SEEN.cy]], atol=1e-4)


def test_what_is_not_seen_is_left_out_and_counted():
    points = [
        [0, 0, 2],
        [0, 0, -2],
        [0, 0, 0],
        [0, 0, 1e5],
        [5, 0, 1],
        [math.nan, 0, 1],
        [0, math.inf, 1],
        [0, 0, 1e30],
    ]
    anchors, left_out = sight(points)
    assert anchors.depths.tolist() == [2]
    assert left_out == {NO_NUMBER: 3, IS_BEHIND: 3, OUTSIDE: 1}


def test_a_sigma_of_zero_is_not_known_and_an_infinite_one_is_worth_nothing():
    anchors, left_out = sight([[0, 0, 2]] * 5, sigmas=[0.1, 0, math.nan, math.inf, 0.3])
    np.testing.assert_allclose(anchors.sigmas, [0.1, math.nan, math.nan, 0.3], rtol=1e-6)
    assert left_out == {NO_NUMBER: 1}


def test_of_a_covariance_that_along_the_axis_counts():
    covariance = np.diag([4.0, 0.01, 9.0])[None]
    seen_ahead, _ = placed("anchors", np.array([[0, 0, 2.0]]), covariance, IDENTITY)
    assert seen_ahead.sigmas[0] == pytest.approx(3)
    by_lidar, _ = placed("anchors", np.array([[2.0, 0, 0]]), covariance, AHEAD)
    assert by_lidar.sigmas[0] == pytest.approx(2), "its x is the camera's z"


def test_a_point_behind_a_surface_that_the_camera_sees_is_hidden():
    near = [[x / 10, y / 10, 2] for x in range(-5, 6) for y in range(-5, 6)]
    behind = [[0.03, 0.02, 4], [-0.5, 0.6, 5]]
    anchors, left_out = sight(near + behind, wall(1.3))
    assert left_out == {HIDDEN: 2}
    assert (anchors.depths == 2).all()


def test_a_far_point_beside_a_near_one_is_kept_where_the_answer_is_far():
    answer = wall(2.0)
    answer[:, 56:] = 4.0
    left = [[-0.05 - x / 20, y / 10, 2] for x in range(5) for y in range(-3, 4)]
    right = [[0.1 + x / 10, y / 5, 4] for x in range(5) for y in range(-3, 4)]
    anchors, left_out = sight(left + right, answer * 1.6)
    assert not left_out
    assert len(anchors.depths) == 70


def test_one_wrong_near_point_hides_no_others():
    points = [[x / 10, y / 10, 3] for x in range(-5, 6) for y in range(-5, 6)]
    anchors, left_out = sight([*points, [0.01, 0.01, 0.6]], wall(2.0))
    assert not left_out
    assert len(anchors.depths) == 122


def test_points_up_to_a_factor_are_told_hidden_as_well():
    near = [[x / 10, y / 10, 2] for x in range(-5, 6) for y in range(-5, 6)]
    anchors, left_out = sight(np.array([*near, [0.03, 0.02, 4]]) * 7, wall(2.0), relative=True)
    assert left_out == {HIDDEN: 1}
    assert anchors.relative


def test_an_old_measurement_is_less_sure():
    known, depths = np.float32([0.1, np.nan]), np.float32([2, 2])
    np.testing.assert_array_equal(lagged(known, depths, 0.001), known)
    np.testing.assert_allclose(lagged(known, depths, 0.06), [math.hypot(0.1, 0.03), np.nan], rtol=1e-5)
    old = lagged(known, depths, -1.0, unsure=0.1)
    np.testing.assert_allclose(old, [math.hypot(0.1, 0.5), math.hypot(0.2, 0.5)], rtol=1e-5)


def test_a_cones_rays_are_unit_vectors_within_it():
    rays = rays_of(0.5)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1)
    angles = np.arccos(rays[:, 0].clip(-1, 1))
    assert angles.max() == pytest.approx(0.25)
    assert np.allclose(rays.mean(axis=0)[1:], 0, atol=5e-3)


def range_of(distance, fov=0.4, pose=AHEAD, sigma=math.nan):
    return ConeMeasurement("range", pose, fov, distance, sigma)


def test_a_range_is_an_anchor_at_the_nearest_surface_in_its_cone():
    answer = wall(3.0)
    answer[48:62, 45:55] = 1.0  # something near, a little to the left
    found = range_of(1.5).sight(answer, SEEN, 0.0).anchors
    assert len(found.depths) == 1
    assert found.depths[0] == pytest.approx(1.5, rel=0.05)
    column, row = found.pixels[0] / 2
    assert 44 <= column <= 55
    assert 47 <= row <= 62


def test_a_range_straight_at_a_wall_says_how_far_that_is():
    found = range_of(2.0, fov=0.02, sigma=0.05).sight(wall(1.2), SEEN, 0.0).anchors
    assert found.depths[0] == pytest.approx(2.0, rel=1e-3)
    np.testing.assert_allclose(found.pixels, [[SEEN.cx, SEEN.cy]], atol=2)
    assert found.sigmas[0] == pytest.approx(0.05)


def test_a_cone_that_looks_elsewhere_gives_no_anchor():
    back = Pose.of((0, 0, 0), quaternion_of(0, 0, math.pi))
    assert range_of(2.0, pose=AHEAD @ back).sight(wall(2), SEEN, 0.0).left_out == {IS_BEHIND: 1}
    aside = Pose.of((0, 0, 0), quaternion_of(0, 0, math.radians(50)))
    assert range_of(2.0, pose=AHEAD @ aside).sight(wall(2), SEEN, 0.0).left_out == {OUTSIDE: 1}


def test_a_range_where_the_network_has_no_answer_gives_no_anchor():
    assert not len(range_of(2.0).sight(EMPTY, SEEN, 0.0).anchors.depths)


WILD = st.floats(width=64) | st.sampled_from([0.0, -0.0, 1e-300, 1e300, math.nan, math.inf, -math.inf])
ANSWERS = arrays.arrays(np.float32, (8, 8), elements=st.floats(width=32, min_value=0) | st.just(np.nan))
SMALL = Intrinsics(16, 16, 14.0, 14.0, 7.5, 7.5)


@given(arrays.arrays(np.float64, (6, 3), elements=WILD), arrays.arrays(np.float64, (6,), elements=WILD), ANSWERS, WILD)
def test_whatever_points_come_anchors_are_in_the_view_and_nothing_raises(xyz, variances, answer, lag):
    lag = lag if abs(lag) < 1e6 else 0.0
    for sigmas in (variances, None):
        measurement, lost = placed("anchors", xyz, sigmas, AHEAD)
        found = measurement.sight(answer, SMALL, lag)
        pixels, depths = found.anchors.pixels, found.anchors.depths
        assert ((pixels > -0.51) & (pixels < 15.51)).all()
        assert ((depths >= 0.05) & (depths <= 100)).all()
        assert len(depths) + sum(lost.values()) + sum(found.left_out.values()) == 6


@given(st.floats(0, 2), st.floats(1e-6, 1e6), ANSWERS)
def test_whatever_a_range_says_it_is_one_anchor_or_none(fov, distance, answer):
    found = range_of(distance, fov).sight(answer, SMALL, 0.0)
    assert len(found.anchors.depths) + sum(found.left_out.values()) == 1


def test_a_measurement_is_projected_once_for_a_camera():
    measurement = PointMeasurement("scan", np.random.default_rng(0).normal(0, 3, (300, 3)), np.full(300, np.nan))
    once = measurement.sight(wall(2), SEEN, 0.0)
    np.testing.assert_array_equal(measurement.sight(wall(2), SEEN, 0.0).anchors.pixels, once.anchors.pixels)
    other = Intrinsics(224, 224, 100.0, 100.0, 111.5, 111.5)
    assert len(measurement.sight(wall(2), other, 0.0).anchors.depths) != len(once.anchors.depths)


def test_anchors_of_points_are_chosen_with_the_cells_that_are_known_of_them():
    """As in a node; a file's anchors have none."""
    rng = np.random.default_rng(0)
    z = rng.uniform(1, 4, 200)
    points = np.stack((rng.uniform(-0.5, 0.5, 200) * z, rng.uniform(-0.5, 0.5, 200) * z, z), 1)
    anchors = PointMeasurement("anchors", points, np.full(200, np.nan)).sight(wall(2.0), SEEN, 0.0).anchors
    plain = Anchors("anchors", anchors.pixels, anchors.depths, anchors.sigmas)
    known, found = (choose(each, wall(2.0)) for each in (anchors, plain))
    np.testing.assert_array_equal(known.pixels, found.pixels)
    np.testing.assert_allclose(known.log_depths, found.log_depths, rtol=1e-6)
    np.testing.assert_allclose(known.sds, found.sds, rtol=1e-6)


@pytest.mark.parametrize("source", ["anchors", "scan"])
@pytest.mark.parametrize("given", ["all", "none", "some", "nothing"])
@pytest.mark.parametrize("lag", [0.0, 0.03, 0.2])
def test_what_is_known_before_the_answer_changes_no_choice(source, given, lag):
    """Sigmas that all points have, none or some, points that others hide, and cells without an answer."""
    rng = np.random.default_rng(0)
    points = rng.normal((0, 0, 3), 0.8, (200 if given != "nothing" else 0, 3))
    variances = np.where(rng.random(len(points)) < {"all": 1, "some": 0.5}.get(given, 0), 0.01, np.nan)
    answer = wall(2.5)
    answer[40:50] = 0.0
    anchors = placed(source, points, variances, IDENTITY)[0].sight(answer, SEEN, lag).anchors
    assert anchors.known is not None
    quick, slow = choose(anchors, answer), choose(anchors._replace(known=None), answer)
    assert quick.told == slow.told
    assert quick.rejected == slow.rejected
    for one, other in ((quick.pixels, slow.pixels), (quick.log_depths, slow.log_depths), (quick.sds, slow.sds)):
        np.testing.assert_array_equal(one, other)
