"""Scans, ranges and small depth images are read by REP-117 and REP-118; what is none is refused."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from anchor_messages import depth_image_of, header, serialized
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import LaserScan, Range

from fastdepth_ros.camera import Intrinsics, implausible
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.depth_images import GRID, read_depths
from fastdepth_ros.messages.ranges import read_range, read_scan

INF, NAN = math.inf, math.nan


def scan_of(ranges, first=-0.5, increment=0.25, low=0.1, high=12.0, **fields):
    message = LaserScan(
        header=header("laser"), range_min=low, range_max=high, ranges=list(map(float, ranges)), **fields
    )
    message.angle_min, message.angle_increment, message.angle_max = first, increment, first + increment * len(ranges)
    return message


def range_of(measured, low=0.2, high=4.0, field_of_view=0.5, **fields):
    return Range(
        header=header("sonar"), min_range=low, max_range=high, field_of_view=field_of_view, range=measured, **fields
    )


def test_a_scan_becomes_points_in_its_own_plane():
    found = read_scan(serialized(scan_of([1, 2, 3, 4])))
    angles = np.array([-0.5, -0.25, 0.0, 0.25])
    np.testing.assert_allclose(found.xyz[:, 0], [1, 2, 3, 4] * np.cos(angles), rtol=1e-6)
    np.testing.assert_allclose(found.xyz[:, 1], [1, 2, 3, 4] * np.sin(angles), rtol=1e-6, atol=1e-7)
    assert not found.xyz[:, 2].any()
    assert found.header.frame_id == "laser"


def test_what_a_scan_did_not_measure_is_no_point():
    found = read_scan(serialized(scan_of([NAN, INF, -INF, 0, 0.05, 13, -2, 5])))
    assert len(found.xyz) == 1
    assert found.sent == 8
    assert np.hypot(*found.xyz[0, :2]) == pytest.approx(5)


def test_a_scan_whose_driver_left_range_max_empty_is_read():
    assert len(read_scan(serialized(scan_of([1, 2, INF], low=0.0, high=0.0))).xyz) == 2


def test_a_scan_of_a_million_rays_costs_what_some_thousand_do():
    found = read_scan(serialized(scan_of(np.ones(1_000_000), increment=1e-6)), 1000)
    assert len(found.xyz) == 1000
    assert np.ptp(found.xyz[:, 1]) > 0.8, "from all over it"


def test_a_scan_without_angles_is_refused():
    with pytest.raises(AnchorError, match="rad"):
        read_scan(serialized(scan_of([1, 2], first=NAN)))
    with pytest.raises(AnchorError, match="rad"):
        read_scan(serialized(scan_of([1, 2], increment=INF)))


def test_a_range_within_its_limits_is_a_measurement():
    found = read_range(serialized(range_of(1.5, variance=0.04)))
    assert found.range == 1.5
    assert found.sigma == pytest.approx(0.2)
    assert found.field_of_view == pytest.approx(0.5)
    assert math.isnan(read_range(serialized(range_of(1.5))).sigma)


def test_a_range_of_a_distribution_without_variance_is_read():
    assert read_range(serialized(range_of(1.5))[:-4]).range == 1.5


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        (NAN, "NaN"),
        (INF, "reach"),
        (-INF, "near"),
        (0.0, "near"),
        (0.2, "near"),
        (-1.0, "near"),
        (4.0, "reach"),
        (9, "reach"),
    ],
)
def test_a_range_that_saw_nothing_says_why(measured, why):
    found = read_range(serialized(range_of(float(measured))))
    assert found.range is None
    assert why in found.why


@pytest.mark.parametrize("angle", [NAN, INF, -1.0, 6.0])
def test_a_cone_that_is_none_is_refused(angle):
    with pytest.raises(AnchorError, match="field_of_view"):
        read_range(serialized(range_of(1.0, field_of_view=angle)))


def test_a_scan_in_degrees_or_without_an_increment_is_refused():
    for first, increment in ((-180.0, 1.0), (0.0, 0.0)):
        with pytest.raises(AnchorError, match="radians"):
            read_scan(serialized(scan_of(np.ones(360), first, increment)))
    turn = 2 * math.pi
    assert len(read_scan(serialized(scan_of(np.ones(361), -math.pi, turn / 360))).xyz) == 361


def test_a_scan_that_ends_elsewhere_than_it_says_is_named():
    wrong = scan_of(np.ones(90), -0.78, 0.0087)  # half of the increment
    wrong.angle_max = 0.78
    assert "ends at -0.01 rad by its increment, and at 0.78 rad by its angle_max" in read_scan(serialized(wrong)).doubt
    right = scan_of(np.ones(90), -0.78, 0.0175)
    for end in (0.78, 0.7775, 0.795, 0.0):
        right.angle_max = end
        assert not read_scan(serialized(right)).doubt


def test_limits_that_are_swapped_are_named():
    with pytest.raises(AnchorError, match="min_range of 4 m is above its max_range of 0.2 m"):
        read_range(serialized(range_of(1.0, low=4.0, high=0.2)))
    with pytest.raises(AnchorError, match="range_min of 12 m is above its range_max of 0.1 m"):
        read_scan(serialized(scan_of([1, 2], low=12.0, high=0.1)))


def test_ultrasound_without_a_field_of_view_is_a_cone_all_the_same():
    """A chair beside the axis answers, and is no beam's that would be far ahead."""
    found = read_range(serialized(range_of(1.0, field_of_view=0.0, radiation_type=Range.ULTRASOUND)))
    assert found.field_of_view == pytest.approx(0.52, abs=0.01)
    assert "field_of_view of 0" in found.doubt
    laser = read_range(serialized(range_of(1.0, field_of_view=0.0, radiation_type=Range.INFRARED)))
    assert laser.field_of_view == 0
    assert not laser.doubt


CAMERA = Intrinsics(8, 8, 9.0, 9.0, 3.5, 3.5)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
def test_a_depth_image_becomes_points_on_its_rays(big, padding):
    depth = np.linspace(0.5, 3.9, 64, dtype=np.float32).reshape(8, 8)
    for image in (
        depth_image_of(depth, padding=padding, big=big),
        depth_image_of((depth * 1000).astype(np.uint16), big=big),
    ):
        points = read_depths(serialized(image)).points(CAMERA)
        np.testing.assert_allclose(points.xyz[:, 2], depth.ravel(), atol=1.01e-3)
        np.testing.assert_allclose(CAMERA.project(points.xyz).reshape(8, 8, 2)[2, 5], (5, 2), atol=1e-6)


def test_a_large_depth_image_is_thinned_to_a_grid_of_all_of_it():
    rows, columns = np.mgrid[0:480, 0:640]
    found = read_depths(serialized(depth_image_of((rows + columns / 1000).astype(np.float32))))
    assert found.metres.shape == (32, 32)
    np.testing.assert_allclose(found.metres[3, 4], found.rows[3] + found.columns[4] / 1000, rtol=1e-6)
    assert found.rows[-1] > 460
    assert max(found.metres.shape) <= GRID


def test_depths_that_were_not_measured_are_no_points():
    depth = np.full((8, 8), 2, np.float32)
    depth[0] = (0, NAN, INF, -INF, -1, 2, 2, 2)
    assert len(read_depths(serialized(depth_image_of(depth))).points(CAMERA).xyz) == 64 - 5


def test_a_camera_info_of_another_size_is_named():
    with pytest.raises(AnchorError, match="its camera_info is of 8x8, anchor_depth of 8x4"):
        read_depths(serialized(depth_image_of(np.ones((4, 8), np.float32)))).points(CAMERA)


def test_a_camera_that_no_lens_is_gives_no_points():
    depths = read_depths(serialized(depth_image_of(np.ones((8, 8), np.float32))))
    with pytest.raises(AnchorError, match="camera_info of anchor_depth: the principal point"):
        depths.points(replace(CAMERA, doubt=implausible(replace(CAMERA, cx=0.0, cy=0.0))))


FAULTS = {
    "colours": lambda m: setattr(m, "encoding", "rgb8"),
    "no size": lambda m: setattr(m, "width", 0),
    "a short step": lambda m: setattr(m, "step", 7),
    "too few bytes": lambda m: m.data.pop(),
    "a size that overflows": lambda m: (setattr(m, "height", 2**32 - 1), setattr(m, "step", 2**32 - 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_image_that_is_no_depth_image_is_named(fault):
    message = depth_image_of(np.ones((8, 8), np.float32))
    FAULTS[fault](message)
    with pytest.raises(AnchorError, match="anchor_depth"):
        read_depths(serialized(message))


MESSAGES = {
    read_scan: serialized(scan_of([1, 2, 3])),
    read_range: serialized(range_of(1.0)),
    read_depths: serialized(depth_image_of(np.ones((4, 4), np.float32))),
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
