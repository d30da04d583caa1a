"""A scan holds the nearest thing of each direction between two heights above the floor, as it stands in space."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import Band, Stand
from fastdepth_ros.filters.scan import ScanMaker

CAMERA = Intrinsics(112, 112, 100.0, 134.0, 55.5, 55.5)
BAND = Band(0.1, 1.0, 0.1, 10.0)
HEIGHT = 0.5


def down_of(pitch: float, roll: float = 0.0) -> tuple[float, float, float]:
    """Down in the optical frame of a camera that looks so far below the horizon and leans to its right."""
    return (
        math.sin(roll) * math.cos(pitch),
        math.cos(roll) * math.cos(pitch),
        math.sin(pitch),
    )


def rays_of(camera: Intrinsics = CAMERA) -> np.ndarray:
    """Rays of depth 1 through all pixels, (height, width, 3)."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    return np.stack(((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(columns.shape)), -1)


def room(stand: Stand, wall: float, upright: bool = True) -> np.ndarray:
    """Depth of a floor and of a wall, so far before the camera along the scan's x."""
    rays = rays_of()
    falls, ahead = rays @ np.array(stand.down), rays @ np.array(stand.forward)
    with np.errstate(divide="ignore"):
        floor = np.where(falls > 0, stand.height / falls, np.inf)
        wall_depth = np.where(ahead > 0, wall / ahead, np.inf) if upright else np.inf
    return np.minimum(floor, wall_depth).astype(np.float32)


def angles_of(maker: ScanMaker) -> np.ndarray:
    return maker.angle_min + maker.angle_increment * np.arange(maker.count)


@pytest.mark.parametrize("pitch", [-0.2, 0.0, 0.15, 0.5])
@pytest.mark.parametrize("roll", [-0.1, 0.0, 0.2, math.pi / 2, math.pi])
def test_a_wall_is_where_it_stands_however_the_camera_looks(pitch, roll):
    stand = Stand.level(down_of(pitch, roll), HEIGHT)
    maker = ScanMaker(CAMERA, stand, BAND)
    ranges = maker.ranges(room(stand, 2.0))
    inside = np.abs(angles_of(maker)) < 0.35
    assert inside.sum() > 40
    # A cell stands in all the rays that it touches: its range is that of a neighbour's direction.
    np.testing.assert_allclose(ranges[inside] * np.cos(angles_of(maker)[inside]), 2.0, atol=0.03)


@pytest.mark.parametrize("pitch", [-0.3, 0.0, 0.3])
def test_a_floor_alone_is_no_obstacle(pitch):
    stand = Stand.level(down_of(pitch), HEIGHT)
    maker = ScanMaker(CAMERA, stand, BAND)
    assert (maker.ranges(room(stand, 0.0, upright=False)) == np.inf).all()


def test_no_ray_is_left_out_between_two_that_see():
    for pitch in (0.0, 0.3, 0.6):
        stand = Stand.level(down_of(pitch, 0.1), HEIGHT)
        ranges = ScanMaker(CAMERA, stand, BAND).ranges(room(stand, 1.0))
        seen = np.flatnonzero(np.isfinite(ranges))
        assert np.isfinite(ranges[seen[0] : seen[-1] + 1]).all()


def thing(stand: Stand, at: float, heights: tuple[float, float], aside: tuple[float, float] = (-9, 9)) -> np.ndarray:
    """Depth of the floor, and of an upright thing before it."""
    depth = room(stand, 8.0)
    rays = rays_of()
    ahead, left, falls = (rays @ np.array(axis) for axis in (stand.forward, stand.left, stand.down))
    z = at / ahead
    height = stand.height - z * falls
    hit = (ahead > 0) & (height >= heights[0]) & (height <= heights[1])
    hit &= (z * left >= aside[0]) & (z * left <= aside[1])
    return np.where(hit & (z < depth), z, depth).astype(np.float32)


@pytest.mark.parametrize(
    ("heights", "seen"), [((0.0, 0.08), False), ((0.0, 0.2), True), ((0.6, 0.9), True), ((1.05, 2.0), False)]
)
def test_only_things_between_the_heights_are_obstacles(heights, seen):
    stand = Stand.level(down_of(0.1), HEIGHT)
    maker = ScanMaker(CAMERA, stand, BAND)
    middle = maker.ranges(thing(stand, 3.0, heights))[maker.count // 2]
    assert middle == pytest.approx(3.0 if seen else 8.0, abs=0.05)


def test_angles_go_from_right_to_left():
    stand = Stand.level(down_of(0.0), HEIGHT)
    maker = ScanMaker(CAMERA, stand, BAND)
    ranges = maker.ranges(thing(stand, 2.0, (0.2, 0.8), aside=(0.3, 0.6)))
    near = angles_of(maker)[ranges < 3]
    assert near.min() == pytest.approx(math.atan2(0.3, 2.0), abs=1.5 * maker.angle_increment)
    assert near.max() == pytest.approx(math.atan2(0.6, 2.0), abs=1.5 * maker.angle_increment)
    assert maker.angle_min < 0 < maker.angle_min + maker.angle_increment * (maker.count - 1)


def test_what_is_too_near_out_of_range_or_unknown_is_told_apart():
    stand = Stand.level(down_of(0.0), HEIGHT)
    maker = ScanMaker(CAMERA, stand, Band(0.1, 1.0, 0.5, 6.0))
    far = ScanMaker(CAMERA, stand, Band(0.1, 1.0, 0.5, 20.0))
    assert np.isposinf(maker.ranges(np.full((112, 112), 7.0, np.float32))).all()
    assert np.isposinf(maker.ranges(np.full((112, 112), np.inf, np.float32))).all()
    assert np.isneginf(maker.ranges(np.full((112, 112), 0.4, np.float32))).any()
    assert np.isneginf(maker.ranges(np.full((112, 112), -np.inf, np.float32))).all()
    assert np.isnan(maker.ranges(np.full((112, 112), np.nan, np.float32))).all()
    half = room(stand, 2.0)
    half[:, :56] = np.nan  # the left side
    ranges = far.ranges(half)
    assert np.isnan(ranges[angles_of(far) > 0.02]).all()
    assert np.isfinite(ranges[angles_of(far) < -0.02]).all()


def test_one_row_of_holes_hides_nothing():
    stand = Stand.level(down_of(0.0), HEIGHT)
    maker = ScanMaker(CAMERA, stand, BAND)
    depth = room(stand, 2.0)
    whole = maker.ranges(depth)
    depth[60] = np.nan
    np.testing.assert_allclose(maker.ranges(depth), whole, atol=0.03)


@pytest.mark.parametrize("origin", [(0.3, 0.0), (0.2, -0.15), (-0.1, 0.1)])
@pytest.mark.parametrize("turned", [0.0, 1.2, math.pi])
def test_a_scan_from_the_robots_middle_shows_things_where_they_stand(origin, turned):
    """The camera sits off the middle, and looks to another side than the robot's front."""
    at_camera = Stand.level(down_of(0.1), HEIGHT)
    forward, left = np.array(at_camera.forward), np.array(at_camera.left)
    cosine, sine = math.cos(turned), math.sin(turned)
    stand = at_camera._replace(
        forward=tuple(cosine * forward - sine * left), left=tuple(sine * forward + cosine * left), origin=origin
    )
    maker = ScanMaker(CAMERA, stand, BAND)
    ranges = maker.ranges(thing(at_camera, 2.0, (0.2, 0.8), aside=(-0.1, 0.1)))
    near = ranges < 3
    angles = angles_of(maker)[near]
    x, y = ranges[near] * np.cos(angles) - origin[0], ranges[near] * np.sin(angles) - origin[1]
    along, across = cosine * x + sine * y, -sine * x + cosine * y
    assert near.sum() >= 8
    np.testing.assert_allclose(along, 2.0, atol=0.04)
    assert np.abs(across).max() < 0.16


def test_rays_beside_the_view_are_unknown_and_not_free():
    """Behind the camera the field of view is narrower than its angle: beside it, nobody looks."""
    at_camera = Stand.level(down_of(0.0), HEIGHT)
    free = np.full((112, 112), np.inf, np.float32)
    assert np.isposinf(ScanMaker(CAMERA, at_camera, BAND).ranges(free)).all()
    maker = ScanMaker(CAMERA, at_camera._replace(origin=(0.5, 0.0)), BAND)
    ranges, angles = maker.ranges(free), np.degrees(angles_of(maker))
    assert np.isposinf(ranges[np.abs(angles) < 18]).all()
    assert np.isnan(ranges[np.abs(angles) > 22]).all()


def test_a_camera_that_sees_nothing_of_the_band_makes_no_rays():
    maker = ScanMaker(CAMERA, Stand.level(down_of(1.4), 3.0), Band(5.0, 6.0, 0.1, 10.0))
    assert maker.count == 0
    assert maker.ranges(np.ones((112, 112), np.float32)).shape == (0,)


def test_a_camera_that_looks_straight_down_is_refused():
    with pytest.raises(ValueError, match="straight down"):
        Stand.level((0.0, 0.0, 1.0), 1.0)
