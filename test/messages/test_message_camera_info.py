"""The camera of the images is read from camera_info, and the depth map gets one of its own."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.messages.camera_info import depth_camera_info, intrinsics_of, same_camera


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
    assert intrinsics_of(info) == camera
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
