"""Distortion models are held against OpenCV's own, in both directions, to a tenth of a pixel and much better."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens, grid, pinhole

CAMERA = Intrinsics(640, 480, 420.0, 421.0, 322.0, 236.0)
MATRIX = np.array([[420.0, 0.0, 322.0], [0.0, 421.0, 236.0], [0.0, 0.0, 1.0]])
LENSES = {
    "plumb_bob": (-0.33, 0.12, 0.001, -0.0007, -0.02),
    "rational_polynomial": (0.5, -0.3, 0.0005, 0.0002, 0.05, 0.8, -0.2, 0.01),
    "equidistant": (-0.01, 0.02, -0.01, 0.002),
    "fisheye": (0.05, -0.01, 0.0, 0.0),
}
PRISM = (*LENSES["rational_polynomial"], 0.001, 0.0003, -0.0008, 0.0001)
TURN = cv2.Rodrigues(np.array([0.02, -0.05, 0.01]))[0]


def lens_of(model, coefficients, rotation=None):
    turn = () if rotation is None else (tuple(rotation.ravel()),)
    return Lens(CAMERA, Distortion(model, coefficients), *turn)


def project(points, model, coefficients, rotation=None):
    """OpenCV's raw pixels (n, 2) of points (n, 3) in the rectified frame."""
    points = (points if rotation is None else points @ rotation).reshape(-1, 1, 3)
    zero, d = np.zeros(3), np.array(coefficients)
    ways = cv2.fisheye.projectPoints if model in ("equidistant", "fisheye") else cv2.projectPoints
    return ways(points, zero, zero, MATRIX, d)[0].reshape(-1, 2)


@pytest.mark.parametrize(("model", "d"), [*LENSES.items(), ("rational_polynomial", PRISM)])
@pytest.mark.parametrize("rotation", [None, TURN])
def test_rays_land_where_opencv_says(model, d, rotation):
    rays = grid(np.linspace(-0.7, 0.7, 40), np.linspace(-0.5, 0.5, 40)).reshape(-1, 2)
    points = np.column_stack((rays, np.ones(len(rays))))
    expected = project(points, model, d, rotation)
    np.testing.assert_allclose(lens_of(model, d, rotation).pixels(rays), expected, atol=1e-6)


@pytest.mark.parametrize(("model", "d"), LENSES.items())
@pytest.mark.parametrize("rotation", [None, TURN])
def test_pixels_see_the_rays_that_opencv_says(model, d, rotation):
    pixels = grid(np.arange(0, 640, 13), np.arange(0, 480, 13)).reshape(-1, 1, 2)
    turn = np.eye(3) if rotation is None else rotation
    if model in ("equidistant", "fisheye"):
        expected = cv2.fisheye.undistortPoints(pixels, MATRIX, np.array(d), R=turn)
    else:
        often = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 200, 1e-10)
        expected = cv2.undistortPointsIter(pixels, MATRIX, np.array(d), turn, None, often)
    found = lens_of(model, d, rotation).rays(pixels[:, 0])
    assert np.isfinite(found).all()
    assert np.abs(found - expected[:, 0]).max() * CAMERA.fx < 0.01, "pixels"


@pytest.mark.parametrize(("model", "d"), [*LENSES.items(), ("rational_polynomial", PRISM)])
def test_there_and_back_is_the_same_pixel(model, d):
    lens = lens_of(model, d, TURN)
    pixels = grid(np.arange(640), np.arange(0, 480, 7))
    back = lens.pixels(lens.rays(pixels))
    assert np.nanmax(np.abs(back - pixels)) < 0.01
    assert np.isfinite(back).mean() > 0.99


def test_a_camera_that_looks_elsewhere_measures_depth_along_its_own_axis():
    lens = lens_of("plumb_bob", LENSES["plumb_bob"], TURN)
    rays = lens.raw_rays(np.array([[100.0, 400.0], [322.0, 236.0]]))
    vectors = np.column_stack((rays, np.ones(2))) * 3.0  # points 3 m in front of the raw camera
    rectified = (vectors @ TURN.T)[:, 2]
    np.testing.assert_allclose(lens.foreshortening(rays) * rectified, 3.0)


@pytest.mark.parametrize(
    ("model", "d", "cause"),
    [
        ("plumb_bob", (0.1, 0.2, 0.0), "4 or 5 coefficients, D holds 3"),
        ("plumb_bob", (0.1,) * 8, "D holds 8"),
        ("rational_polynomial", (0.1,) * 5, "8 or 12 or 14"),
        ("equidistant", (0.1,) * 5, "4 coefficients"),
        ("plumb_bob", (0.1, math.nan, 0.0, 0.0, 0.0), "NaN"),
        ("plumb_bob", (0.1, math.inf, 0.0, 0.0, 0.0), "NaN"),
        ("plumb_bob", (1e9, 0.0, 0.0, 0.0, 0.0), "huge"),
        ("rational_polynomial", (0.0,) * 13 + (0.1,), "tilted"),
        ("double_sphere", (0.1,) * 5, "double_sphere is not known"),
        ("", (0.1,) * 5, "without a name"),
        ("x" * 3000, (0.1,) * 5, "is not known"),
        ("plumb_bob", (-3.0, 0.0, 0.0, 0.0, 0.0), "folds the picture over"),
        ("rational_polynomial", (0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0), "folds the picture over"),
        ("equidistant", (-2.0, 0.0, 0.0, 0.0), "folds the picture over"),
    ],
)
def test_a_lens_that_cannot_be_is_refused_with_a_remedy(model, d, cause):
    with pytest.raises(CalibrationError, match=cause) as refused:
        lens_of(model, d)
    assert refused.value.remedy
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("rotation", [np.zeros((3, 3)), -np.eye(3), np.full((3, 3), math.nan), 2 * np.eye(3)])
def test_a_rotation_that_is_none_is_refused(rotation):
    with pytest.raises(CalibrationError, match="R of camera_info"):
        lens_of("plumb_bob", LENSES["plumb_bob"], rotation)


def test_beyond_its_fold_a_lens_sees_nothing_twice():
    """k1 alone folds at r = sqrt(1 / 0.9): beyond the picture's edge, but rays out there would land inside again."""
    lens = lens_of("plumb_bob", (-0.3, 0.0, 0.0, 0.0, 0.0))
    rays = np.array([[0.9, 0.0], [1.2, 0.0], [1.8, 0.0]])
    seen = np.isfinite(lens.pixels(rays)).all(-1)
    assert seen.tolist() == [True, False, False]
    assert lens.distortion.folds_at == pytest.approx(2 / 3 / math.sqrt(0.9), rel=1e-3)


def test_a_pinhole_sees_the_angle_that_is_asked_for():
    camera = pinhole(640, 480, 90.0)
    assert camera.fx == camera.fy == pytest.approx(320.0)
    edges = (np.array([-0.5, 639.5]) - camera.cx) / camera.fx
    assert np.degrees(np.arctan(edges)) == pytest.approx([-45.0, 45.0])
