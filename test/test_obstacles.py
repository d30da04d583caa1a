"""Obstacles are the points between two heights above the floor: few, finite, and where they are."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import Band
from fastdepth_ros.filters.obstacles import ObstacleMaker
from fastdepth_ros.filters.preview import preview

CAMERA = Intrinsics(112, 112, 100.0, 134.0, 55.5, 55.5)
BAND = Band(0.1, 1.0, 0.3, 6.0)
PITCH, HEIGHT = 0.2, 0.6
DOWN = (0.0, math.cos(PITCH), math.sin(PITCH))
COLUMNS, ROWS = np.meshgrid(np.arange(112), np.arange(112))
RAYS = np.stack(((COLUMNS - 55.5) / 100, (ROWS - 55.5) / 134, np.ones((112, 112))), -1)
MAKER = ObstacleMaker(CAMERA, DOWN, HEIGHT, BAND)


def room(wall: float) -> np.ndarray:
    """Depth of the floor, and of an upright wall so far before the camera."""
    falls = RAYS @ np.array(DOWN)
    ahead = RAYS @ np.array((0.0, -math.sin(PITCH), math.cos(PITCH)))
    with np.errstate(divide="ignore"):
        floor = np.where(falls > 0, HEIGHT / falls, np.inf)
    return np.minimum(floor, np.where(ahead > 0, wall / ahead, np.inf)).astype(np.float32)


def of_all_points(depth: np.ndarray) -> np.ndarray:
    """The points that ought to be found, by their coordinates in space."""
    points = (RAYS * depth[..., None]).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    heights = HEIGHT - points @ np.array(DOWN)
    along = np.sqrt(np.maximum((points**2).sum(axis=1) - (points @ np.array(DOWN)) ** 2, 0))
    return points[(heights >= 0.1) & (heights <= 1.0) & (along >= 0.3) & (along <= 6.0)]


@pytest.mark.parametrize("wall", [0.25, 2.0, 8.0])
def test_obstacles_are_the_points_between_the_heights_and_in_range(wall):
    depth = room(wall)
    depth[3, :], depth[:, 7], depth[9, :] = np.nan, -np.inf, np.inf
    found, wanted = MAKER.points(depth), of_all_points(depth)
    assert abs(len(found) - len(wanted)) <= 3  # at the limits, in the last digit
    assert np.isfinite(found).all()
    if len(wanted):
        np.testing.assert_allclose(np.sort(found[:, 2]).mean(), np.sort(wanted[:, 2]).mean(), rtol=1e-3)


def test_one_point_of_a_cube_is_left_in_the_middle_of_those_within():
    depth = room(2.0)
    every, thinned = MAKER.points(depth), MAKER.points(depth, leaf=0.1)
    cubes = {tuple(cube) for cube in np.floor(every / np.float32(0.1)).astype(int).tolist()}
    assert len(thinned) == len(cubes) < len(every) / 4
    np.testing.assert_allclose((thinned @ np.array((0, -math.sin(PITCH), math.cos(PITCH)))), 2.0, atol=1e-3)
    of_one = np.floor(every / np.float32(0.1)).astype(int) == np.floor(thinned[0] / np.float32(0.1)).astype(int)
    np.testing.assert_allclose(every[of_one.all(axis=1)].mean(axis=0), thinned[0], rtol=1e-4)


def test_points_clear_where_nothing_was_found():
    depth = room(8.0)
    depth[:20] = np.inf
    depth[20:30] = np.nan
    every, cleared = MAKER.points(depth), MAKER.points(depth, clearing=6.5)
    clearing = cleared[len(every) :]
    along = np.sqrt((clearing**2).sum(axis=1) - (clearing @ np.array(DOWN)) ** 2)
    np.testing.assert_allclose(along, 6.5, rtol=1e-4)
    columns, rows = CAMERA.project(clearing).T
    assert len(clearing) >= 20 * 112
    assert not ((rows > 19.5) & (rows < 29.5)).any()  # nobody knows what is there
    assert len(MAKER.points(np.full((112, 112), np.nan, np.float32), 0.1, 6.5)) == 0
    assert columns.min() == pytest.approx(0, abs=0.01)


def test_a_preview_has_the_shape_of_the_view_and_the_same_colour_for_a_depth():
    depth = room(2.0)
    depth[:, :30] = np.nan
    picture = cv2.imdecode(np.frombuffer(preview(depth, 4 / 3, 10.0), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (336, 448, 3)
    assert np.abs(picture[:, :100].astype(int) - 60).max() < 12  # grey
    far = depth.copy()
    far[:56] = 9.0
    other = cv2.imdecode(np.frombuffer(preview(far, 4 / 3, 10.0), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(other[200:].astype(int) - picture[200:]).max() < 12
    near, blue = preview(np.full((112, 112), 0.3, np.float32), 1.0, 10.0), preview(far, 1.0, 10.0)
    red = cv2.imdecode(np.frombuffer(near, np.uint8), cv2.IMREAD_COLOR)[100, 100]
    assert red[2] > red[0]
    assert cv2.imdecode(np.frombuffer(blue, np.uint8), cv2.IMREAD_COLOR)[20, 300, 0] > 60
