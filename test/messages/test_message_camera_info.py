"""The camera of the images is read from camera_info, and the depth map gets one of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.messages.camera_info import (
    depth_camera_info,
    distortion_of,
    intrinsics_of,
    is_rectified,
    raw_camera_info,
    same_camera,
    seen_camera,
)


def camera_info(**fields):
    given = {
        "width": 640,
        "height": 480,
        "distortion_model": "plumb_bob",
        "d": [0.1, -0.2, 0.0, 0.0, 0.0],
        "k": [520.0, 0.0, 319.0, 0.0, 521.0, 239.0, 0.0, 0.0, 1.0],
        "r": np.eye(3).ravel(),
        "p": [500.0, 0.0, 318.0, 0.0, 0.0, 501.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    }
    return CameraInfo(**{**given, **fields})


def projection(fy=500.0, cx=3.0):
    return [500.0, 0.0, cx, 0.0, 0.0, fy, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_rectified_camera_is_that_of_p():
    assert intrinsics_of(camera_info()) == Intrinsics(640, 480, 500, 501, 318, 238)


def test_without_p_the_camera_is_that_of_k():
    assert intrinsics_of(camera_info(p=[0.0] * 12)) == Intrinsics(640, 480, 520, 521, 319, 239)


def test_a_region_of_interest_moves_the_principal_point():
    roi = RegionOfInterest(x_offset=100, y_offset=50, width=320, height=240)
    assert intrinsics_of(camera_info(roi=roi)) == Intrinsics(320, 240, 500, 501, 218, 188)


def test_binning_scales_by_the_half_pixel_rule():
    camera = intrinsics_of(camera_info(binning_x=2, binning_y=2))
    assert camera == Intrinsics(320, 240, 250, 250.5, 318.5 / 2 - 0.5, 238.5 / 2 - 0.5)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"p": [0.0] * 12, "k": [0.0] * 9}, "zeros"),
        ({"k": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "p": [0.0] * 12}, "zeros"),
        ({"p": [float("nan")] * 12, "k": [float("nan")] * 9}, "NaN"),
        ({"p": projection(cx=float("inf"))}, "infinity"),
        ({"p": projection(fy=0.0)}, "focal"),
        ({"p": projection(fy=-500.0)}, "focal"),
        ({"width": 0, "height": 0}, "0x0"),
        ({"binning_x": 2000, "binning_y": 1}, "0x480"),
        ({"p": projection(fy=1e308)}, "1e\\+308"),
        ({"p": projection(fy=1e-300)}, "1e-300"),
        ({"p": projection(cx=-1e300)}, "1e\\+300"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(fields, cause):
    with pytest.raises(CalibrationError, match=cause) as refused:
        intrinsics_of(camera_info(**fields))
    assert refused.value.remedy


def test_the_depth_maps_camera_info_is_of_its_own_size_and_without_distortion():
    source = camera_info(binning_x=2, binning_y=2)
    camera = intrinsics_of(source).crop(10, 20, 200, 100).scale(224, 224)
    header = Header(frame_id="eye")
    info = depth_camera_info(camera, source, header)
    assert (info.width, info.height, info.header.frame_id) == (224, 224, "eye")
    assert info.distortion_model == "plumb_bob"
    assert list(info.d) == [0.0] * 5
    assert list(info.r) == list(np.eye(3).ravel())
    assert (info.binning_x, info.binning_y, info.roi) == (0, 0, RegionOfInterest())
    assert replace(intrinsics_of(info), doubt="") == camera, "whose centre was cropped away"
    assert np.array_equal(info.k.reshape(3, 3), info.p.reshape(3, 4)[:, :3])


def test_the_baseline_of_a_stereo_camera_is_kept_in_metres():
    source = camera_info(p=[500.0, 0.0, 318.0, -60.0, 0.0, 501.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    info = depth_camera_info(intrinsics_of(source).scale(224, 224), source, Header())
    assert info.p[3] / info.p[0] == pytest.approx(-60 / 500)


def test_only_what_the_camera_says_makes_two_camera_infos_differ():
    later = camera_info(header=Header(frame_id="later"))
    assert same_camera(camera_info(), later)
    assert not same_camera(camera_info(), camera_info(width=320))
    assert not same_camera(camera_info(), camera_info(d=[0.0]))
    assert not same_camera(camera_info(), camera_info(p=[0.0] * 12))
    assert not same_camera(camera_info(), camera_info(r=[0.0] * 9)), "the lens is undone by it"


def matrices(fx=520.0, fy=520.0, cx=319.5, cy=239.5, **fields):
    """A camera_info whose K and P say this, without distortion."""
    k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    return camera_info(d=[0.0] * 5, k=k, p=[*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0], **fields)


@pytest.mark.parametrize(
    ("info", "number"),
    [
        (matrices(cx=159.9, cy=119.8), "159.9"),
        (matrices(cx=160.3, cy=121.0), "as if the matrix were of 322x243"),
        (matrices(cx=213.2, cy=160.1), "213.2"),
        (matrices(cx=639.5, cy=479.5), "639.5"),
        (matrices(cx=239.5, cy=319.5), "as if the matrix were of 480x640"),
        (matrices(cx=230.0, cy=330.0), "480x640"),
        (matrices(roi=RegionOfInterest(x_offset=320, y_offset=240, width=640, height=480)), "ends at (960, 720)"),
        (matrices(roi=RegionOfInterest(x_offset=1, width=640, height=480)), "ends at (641, 480)"),
        (matrices(cx=319.5, cy=5.0), "5.0"),
        (matrices(cx=-3e5), "-300000.0"),
        (matrices(fx=520.0, fy=780.0), "fy 780.0"),
        (matrices(fx=500.0, fy=250.0), "20 %"),
        (matrices(fx=5000.0, fy=5000.0), "7.3 degrees"),
        (matrices(fx=50.0, fy=50.0), "162.2 degrees"),
        (camera_info(d=[], k=[1000.0, 0.0, 319.0, 0.0, 1000.0, 239.0, 0.0, 0.0, 1.0]), "K has a fx of 1000"),
    ],
)
def test_numbers_that_no_lens_has_are_doubted(info, number):
    assert number in intrinsics_of(info).doubt


@pytest.mark.parametrize(
    "info",
    [
        camera_info(),
        matrices(),
        matrices(fx=525.0, fy=575.0, cx=290.0, cy=265.0),
        matrices(cx=319.5, cy=130.0),  # a picture of which the sky was cut off, and K with it
        matrices(fx=1200.0, fy=1200.0),
        matrices(fx=160.0, fy=160.0),
        matrices(roi=RegionOfInterest(x_offset=500, y_offset=300, width=140, height=180)),
        matrices(binning_x=4, binning_y=1),
        matrices(fx=160.0, fy=160.0, width=240, height=320, cx=119.0, cy=161.0),
    ],
)
def test_numbers_that_lenses_have_are_believed(info):
    assert intrinsics_of(info).doubt == ""


def test_doubt_stays_with_what_is_cut_and_scaled():
    camera = intrinsics_of(matrices(cx=100.0, cy=100.0, binning_x=2, binning_y=2))
    assert camera.crop(0, 0, 99, 99).scale(10, 10).doubt == camera.doubt != ""


def test_pictures_that_are_not_rectified_are_those_of_k():
    info = camera_info(p=[260.0, 0.0, 159.5, 0.0, 0.0, 260.0, 119.5, 0.0, 0.0, 0.0, 1.0, 0.0])
    assert intrinsics_of(info, rectified=False) == Intrinsics(640, 480, 520, 521, 319, 239)
    assert "D is not zero" in distortion_of(info, rectified=False)
    assert not distortion_of(info, rectified=True)
    assert not distortion_of(matrices(), rectified=False)
    empty_k = camera_info(k=[0.0] * 9)
    assert intrinsics_of(empty_k, rectified=False).fx == 500


@pytest.mark.parametrize(
    ("topic", "rectified"),
    [
        ("/camera/image_rect", True),
        ("/camera/image_rect_color", True),
        ("/camera/image_rect/compressed", True),
        ("/stereo/left_rect/image", True),
        ("/zed/rgb/rect/image", True),
        ("/camera/image_rectified", True),
        ("/camera/image_raw", False),
        ("/camera/image_unrectified", False),
        ("/camera/image_unrect", False),
        ("/camera/not_rectified/image", False),
        ("/director/image_raw", False),
        ("/direct/image", False),
        ("/rectangle/image_raw", False),
        ("/corrected/camera/image_raw", False),
    ],
)
def test_a_picture_is_rectified_where_its_topic_has_the_word(topic, rectified):
    assert is_rectified(topic) is rectified


@pytest.mark.parametrize("model", ["", "pinhole", "equidistant", "x" * 200])
@pytest.mark.parametrize("d", [[], [0.1, 0.2], [0.1] * 14])
def test_the_depth_map_is_always_of_a_plumb_bob_without_distortion(model, d):
    source = camera_info(distortion_model=model, d=d)
    info = depth_camera_info(intrinsics_of(source), source, Header())
    assert (info.distortion_model, list(info.d)) == ("plumb_bob", [0.0] * 5)


@pytest.mark.parametrize("tx", [float("nan"), float("inf"), 1e308])
def test_a_baseline_that_is_no_number_is_none(tx):
    source = camera_info(p=[500.0, 0.0, 318.0, tx, 0.0, 501.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    info = depth_camera_info(intrinsics_of(source).scale(64000, 48000), source, Header())
    assert np.isfinite(info.p).all()


@pytest.mark.parametrize(
    ("at", "value", "word"),
    [(8, 2.0, "2"), (1, 30.0, "30"), (3, 1.0, "1"), (6, 5.0, "5"), (7, float("nan"), "nan"), (8, float("inf"), "inf")],
)
def test_a_matrix_that_is_no_pinholes_is_doubted(at, value, word):
    info = camera_info_of_64x48()
    assert not intrinsics_of(info, False).doubt
    info.k[at] = value
    doubt = intrinsics_of(info, False).doubt
    assert "no pinhole" in doubt
    assert word in doubt


def test_a_matrix_of_which_only_the_four_numbers_are_filled_in_is_believed():
    info = camera_info_of_64x48()
    info.k[8], info.k[1] = 0.0, 0.1
    assert not intrinsics_of(info, False).doubt


def camera_info_of_64x48():
    return CameraInfo(width=64, height=48, k=[52.5, 0.0, 31.5, 0.0, 52.5, 23.5, 0.0, 0.0, 1.0])


BENT = {"d": [-0.3, 0.1, 0.001, -0.001, 0.0]}


def test_a_distorted_picture_is_seen_through_p_and_its_lens_undone():
    seen = seen_camera(camera_info(**BENT), rectified=False)
    assert seen.camera == Intrinsics(640, 480, 500, 501, 318, 238)
    assert seen.lens.camera == Intrinsics(640, 480, 520, 521, 319, 239)
    assert seen.lens.distortion.coefficients == tuple(BENT["d"])
    assert seen.distortion == ""


def test_without_p_the_pinhole_is_that_of_k():
    seen = seen_camera(camera_info(p=[0.0] * 12, r=[0.0] * 9, **BENT), rectified=False)
    assert seen.camera == seen.lens.camera == Intrinsics(640, 480, 520, 521, 319, 239)


def test_the_lens_of_a_picture_that_is_too_large_for_it_is_told_and_not_undone():
    """No frame could be rectified: the pictures are taken as they are, as with a lens that is none."""
    seen = seen_camera(camera_info(width=32, height=32768, **BENT), rectified=False)
    assert seen.lens is None
    assert "32x32768 pixels is too large to be rectified" in seen.distortion
    assert seen_camera(camera_info(width=32, height=32000, **BENT), rectified=False).lens is not None


@pytest.mark.parametrize(
    ("fields", "rectified", "rectify", "undone"),
    [
        (BENT, False, "auto", True),
        (BENT, True, "auto", False),
        (BENT, True, "on", True),
        (BENT, False, "off", False),
        (BENT, True, "off", False),
        ({"d": [0.0] * 5}, False, "auto", False),
        ({"d": []}, False, "auto", False),
        ({"d": []}, False, "on", False),
    ],
)
def test_the_lens_is_undone_where_that_is_wanted_and_it_bends(fields, rectified, rectify, undone):
    assert (seen_camera(camera_info(**fields), rectified, rectify).lens is not None) == undone


def test_the_pictures_of_a_stereo_camera_are_turned_as_its_calibration_says():
    turn = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert seen_camera(camera_info(r=turn, **BENT), rectified=False).lens.rotation == tuple(turn)
    assert seen_camera(camera_info(r=turn, d=[0.0] * 5), rectified=False, rectify="on").lens.turned


def test_a_wide_lens_is_seen_through_a_view_of_the_angle_that_is_wanted():
    seen = seen_camera(camera_info(distortion_model="equidistant", d=[0.01, 0.0, 0.0, 0.0]), False, "auto", 90.0)
    camera = seen.camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == pytest.approx((320, 320, 319.5, 239.5))
    assert seen.lens.distortion.model == "equidistant"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"distortion_model": "double_sphere"}, "double_sphere is not known"),
        ({"d": [0.1, 0.2]}, "D holds 2"),
        ({"d": [float("nan"), 0.0, 0.0, 0.0, 0.0]}, "NaN"),
        ({"d": [-5.0, 0.0, 0.0, 0.0, 0.0]}, "folds"),
        ({"r": [2.0] * 9}, "R of camera_info"),
        ({"p": [float("nan")] * 12}, "NaN"),
    ],
)
def test_a_lens_that_cannot_be_undone_is_named_and_the_picture_is_that_of_k(fields, cause):
    seen = seen_camera(camera_info(**fields), rectified=False)
    assert cause in seen.distortion
    assert "not rectified" in seen.distortion
    assert seen.lens is None
    assert seen.camera == Intrinsics(640, 480, 520, 521, 319, 239)


def test_depth_in_the_raw_grid_has_the_camera_info_of_the_raw_picture():
    source = camera_info(binning_x=2, binning_y=2, p=[500.0, 0.0, 318.0, -60.0, *camera_info().p[4:]], **BENT)
    seen = seen_camera(source, rectified=False)
    info = raw_camera_info(seen.lens, seen.camera, source, Header(frame_id="eye"))
    again = seen_camera(info, rectified=False)
    assert (again.camera, again.lens) == (seen.camera, seen.lens)
    assert (info.width, info.height, info.header.frame_id) == (320, 240, "eye")
    assert info.p[3] / info.p[0] == pytest.approx(-60 / 500)


@pytest.mark.parametrize("model", ["equidistant", "fisheye"])
def test_a_fisheye_of_zeros_is_no_pinhole(model):
    info = camera_info(distortion_model=model, d=[0.0] * 4)
    seen = seen_camera(info, rectified=False)
    assert (seen.camera.fx, seen.lens) == (520, None)
    assert "bends straight lines as a fisheye does" in seen.distortion
    undone = seen_camera(info, rectified=False, rectify="on")
    assert (undone.lens.distortion.model, undone.lens.distortion.coefficients) == (model, (0.0,) * 4)
    assert undone.distortion == ""
    assert seen_camera(info, rectified=True).distortion == ""


def test_a_fisheye_of_no_numbers_is_told():
    seen = seen_camera(camera_info(distortion_model="equidistant", d=[]), rectified=False, rectify="on")
    assert seen.lens is None
    assert "has 4 coefficients, D holds 0" in seen.distortion


def test_k_and_p_of_a_fisheye_of_zeros_may_differ():
    info = camera_info(distortion_model="equidistant", d=[0.0] * 4, p=[300.0, 0, 319, 0, 0, 300, 239, 0, 0, 0, 1, 0])
    assert seen_camera(info, rectified=False, rectify="on").camera.doubt == ""
