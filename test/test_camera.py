"""Geometry: what a pixel of the depth image means, checked by projecting points both ways."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.errors import CalibrationError

KINECT = Intrinsics(640, 480, 525.0, 520.0, 319.5, 239.5)


def test_cropping_moves_only_the_principal_point():
    assert KINECT.crop(28, 21, 584, 438) == Intrinsics(584, 438, 525.0, 520.0, 291.5, 218.5)


def test_halving_keeps_the_centre_in_the_centre():
    half = KINECT.scale(320, 240)
    assert (half.fx, half.fy) == (262.5, 260.0)
    assert (half.cx, half.cy) == (159.5, 119.5)


def test_scaling_moves_a_pixel_corner_to_the_pixel_corner():
    # The left edge of the picture is at -0.5 before and after, by the half-pixel rule.
    camera = Intrinsics(640, 480, 525.0, 525.0, -0.5, -0.5)
    scaled = camera.scale(224, 224)
    assert (scaled.cx, scaled.cy) == pytest.approx((-0.5, -0.5))


@given(
    st.integers(64, 4000),
    st.integers(64, 3000),
    st.floats(0.3, 3.0),
    st.floats(-0.2, 0.2),
    st.floats(-2.0, 2.0),
    st.floats(-2.0, 2.0),
    st.floats(0.2, 20.0),
)
def test_a_point_seen_by_the_camera_is_seen_at_the_same_place_through_the_view(width, height, focal, offset, x, y, z):
    camera = Intrinsics(
        width, height, focal * width, focal * width * 1.01, width * (0.5 + offset), height * (0.5 - offset)
    )
    view = View.of(PAPER_VIEW, width, height, 224, 224)
    point = np.array([x, y, z])
    u, v = camera.project(point)
    # The same place by hand: pixel edges of the cut rectangle go to the edges of the network's input.
    by_hand_u = (u + 0.5 - view.x) * 224 / view.width - 0.5
    by_hand_v = (v + 0.5 - view.y) * 224 / view.height - 0.5
    seen_u, seen_v = view.intrinsics(camera).project(point)
    assert math.isclose(seen_u, by_hand_u, abs_tol=1e-6 * max(1, abs(by_hand_u)))
    assert math.isclose(seen_v, by_hand_v, abs_tol=1e-6 * max(1, abs(by_hand_v)))


@pytest.mark.parametrize("stride", [1, 2, 3, 7])
def test_points_made_of_slopes_project_back_onto_their_pixels(stride):
    camera = View.of(PAPER_VIEW, 640, 480, 224, 224).intrinsics(KINECT)
    across, down = camera.slopes(stride)
    depth = np.random.default_rng(0).uniform(0.5, 9.0, (down.shape[0], across.shape[1]))
    pixels = camera.project(np.stack((across * depth, down * depth, depth), axis=-1))
    rows, columns = np.mgrid[0 : camera.height : stride, 0 : camera.width : stride]
    np.testing.assert_allclose(pixels, np.stack((columns, rows), axis=-1), atol=1e-4)


def test_the_papers_view_of_a_kinect_picture():
    view = View.of(PAPER_VIEW, 640, 480, 224, 224)
    # 304x228 of the picture at 250 rows is 583.68x437.76 of it at 480 rows.
    assert (view.width, view.height) == (584, 438)
    assert (view.x, view.y) == (28, 21)
    seen = view.intrinsics(KINECT)
    # Anisotropic: 525 * 224 / 584 and 520 * 224 / 438.
    assert seen.fx == pytest.approx(201.37, abs=0.01)
    assert seen.fy == pytest.approx(265.94, abs=0.01)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (480, 640), (100, 300), (64, 48), (33, 35)])
def test_the_view_of_any_picture_lies_inside_it_and_keeps_its_shape(width, height):
    view = View.of(PAPER_VIEW, width, height, 224, 224)
    assert view.x >= 0
    assert view.y >= 0
    assert view.x + view.width <= width
    assert view.y + view.height <= height
    assert view.width / view.height == pytest.approx(304 / 228, rel=0.04)


@pytest.mark.parametrize("reduction", [2, 4, 8])
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (1920, 1080), (751, 481), (480, 640)])
def test_the_view_of_a_reduced_picture_is_of_whole_pixels_of_it(width, height, reduction):
    view = View.of(PAPER_VIEW, width, height, 224, 224, reduction)
    assert not any(n % reduction for n in (view.x, view.y, view.width, view.height))
    assert view.x + view.width <= width
    assert view.y + view.height <= height
    full = View.of(PAPER_VIEW, width, height, 224, 224)
    for one, other in ((view.x, full.x), (view.y, full.y), (view.width, full.width), (view.height, full.height)):
        assert abs(one - other) <= reduction
    picture = np.zeros((-(-height // reduction), -(-width // reduction), 3), np.uint8)
    assert view.cut(picture, reduction).shape == (view.height // reduction, view.width // reduction, 3)


def test_a_view_is_cut_without_a_copy():
    picture = np.zeros((480, 640, 3), np.uint8)
    assert np.shares_memory(View.of(PAPER_VIEW, 640, 480, 224, 224).cut(picture), picture)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fx": 0.0},
        {"fy": -1.0},
        {"cx": math.nan},
        {"fx": math.inf},
        {"width": 0},
    ],
)
def test_a_camera_that_cannot_be_is_refused_with_a_remedy(wrong):
    values = {"width": 640, "height": 480, "fx": 525.0, "fy": 525.0, "cx": 319.5, "cy": 239.5, **wrong}
    with pytest.raises(CalibrationError, match="Calibrate the camera"):
        Intrinsics(**values)
