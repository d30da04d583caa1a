"""Calibrations are read from the files of ROS and of Kalibr, and everything else is refused with what is wrong."""

from __future__ import annotations

import os
import random
import textwrap

import pytest

from fastdepth_ros.errors import SettingError
from fastdepth_ros.lens.calibration_file import read_calibration
from fastdepth_ros.messages.camera_info import seen_camera
from fastdepth_ros.messages.serialized import RegionOfInterest, SerializedCameraInfo
from fastdepth_ros.node.camera_info import Calibration, CameraInfoListener
from fastdepth_ros.parameters import validate

K = (520.0, 0.0, 319.0, 0.0, 521.0, 239.0, 0.0, 0.0, 1.0)
P = (500.0, 0.0, 318.0, 0.0, 0.0, 501.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0)
D = (-0.3, 0.1, 0.001, -1e-05, 0.0)
YAML = """
    image_width: 640
    image_height: 480
    camera_name: front
    camera_matrix: {rows: 3, cols: 3, data: [520, 0.0, 319, 0.0, 521, 239, 0.0, 0.0, 1]}
    distortion_model: plumb_bob
    distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -1e-05, 0.0]}
    rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
    projection_matrix:
      rows: 3
      cols: 4
      data: [500., 0., 318., 0., 0., 501., 238., 0., 0., 0., 1., 0.]
"""
INI = """
    # Camera intrinsics

    [image]

    width
    640

    height
    480

    [narrow_stereo/left]

    camera matrix
    520.00000 0.00000 319.00000
    0.00000 521.00000 239.00000
    0.00000 0.00000 1.00000

    distortion
    -0.30000 0.10000 0.00100 -0.00001 0.00000

    rectification
    1.00000 0.00000 0.00000
    0.00000 1.00000 0.00000
    0.00000 0.00000 1.00000

    projection
    500.00000 0.00000 318.00000 0.00000
    0.00000 501.00000 238.00000 0.00000
    0.00000 0.00000 1.00000 0.00000
"""
KALIBR = """
    cam0:
      cam_overlaps: [1]
      camera_model: pinhole
      distortion_coeffs: [-0.3, 0.1, 0.001, -1e-05]
      distortion_model: radtan
      intrinsics: [520.0, 521.0, 319.0, 239.0]
      resolution: [640, 480]
      rostopic: /cam0/image_raw
    cam1:
      camera_model: pinhole
      distortion_coeffs: [0.01, -0.002, 0.0, 0.0]
      distortion_model: equidistant
      intrinsics: [260.0, 261.0, 318.0, 238.0]
      resolution: [640, 480]
"""


class Quiet:
    """A logger for nobody."""

    def warning(self, *_words, **_how):
        pass


@pytest.fixture
def write(tmp_path):
    def writer(text, name="front.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return f"file://{path}"

    return writer


def test_the_yaml_of_camera_calibration(write):
    url = write(YAML)
    found = read_calibration(url)
    assert found == (url, 640, 480, "plumb_bob", D, K, (1, 0, 0, 0, 1, 0, 0, 0, 1), P)


def test_the_ini_of_camera_calibration(write):
    found = read_calibration(write(INI, "front.ini"))
    assert found[1:] == (640, 480, "plumb_bob", D, K, (1, 0, 0, 0, 1, 0, 0, 0, 1), P)


def test_kalibrs_cameras(write):
    url = write(KALIBR, "camchain.yaml")
    assert read_calibration(url)[1:6] == (640, 480, "plumb_bob", D, K)
    other = read_calibration(f"{url}#cam1")
    assert (other.distortion_model, other.d, other.k[0], other.k[4]) == ("equidistant", (0.01, -0.002, 0, 0), 260, 261)
    assert not any(other.p)


def test_a_file_of_a_package(write, tmp_path, monkeypatch):
    write(YAML)
    share = tmp_path / "share" / "my_robot" / "config"
    share.mkdir(parents=True)
    os.rename(tmp_path / "front.yaml", share / "front.yaml")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere{os.pathsep}{tmp_path}")
    assert read_calibration("package://my_robot/config/front.yaml").k == K
    with pytest.raises(SettingError, match="no package yours"):
        read_calibration("package://yours/config/front.yaml")


@pytest.mark.parametrize(
    ("text", "name", "cause"),
    [
        (YAML.replace("640", "0"), "a.yaml", "side of 0 pixels"),
        (YAML.replace("640", "wide"), "a.yaml", "side of 'wide' pixels"),
        (YAML.replace("[520,", "[NaN,"), "a.yaml", "NaN"),
        (YAML.replace("[520,", "[.nan,"), "a.yaml", "NaN"),
        (YAML.replace("[520,", "["), "a.yaml", "camera_matrix holds 8 numbers"),
        (YAML.replace("[520,", "[[1],"), "a.yaml", "no number"),
        (YAML.replace("camera_matrix", "matrix"), "a.yaml", "neither camera_matrix nor 'cam0'"),
        (YAML.replace("distortion_coefficients", "d"), "a.yaml", "it lacks distortion_coefficients"),
        ("[1, 2]", "a.yaml", "no table"),
        ("a: &a [1]\nb: *a", "a.yaml", "alias"),
        ("secret: {words: of, somebody: 'else", "a.yaml", "no plain YAML"),
        ("\0\1", "a.yaml", "camera_info_url cannot be"),
        (KALIBR.replace("pinhole", "omni"), "a.yaml", "'omni' is not known"),
        (KALIBR.replace("radtan", "fov"), "a.yaml", "radtan, equidistant, none"),
        (KALIBR.replace("[640, 480]", "640"), "a.yaml", "camera_info_url cannot be"),
        (INI.replace("camera matrix", "matrix"), "a.ini", "it lacks camera matrix"),
        (INI.replace("521.00000", "5x"), "a.ini", "something else"),
        (INI.replace("640", "640.5"), "a.ini", "no number of pixels"),
        ("", "a.ini", "it lacks width"),
    ],
)
def test_what_is_no_calibration_is_refused_with_a_remedy(write, text, name, cause):
    with pytest.raises(SettingError, match=cause) as refused:
        validate({"camera_info_url": write(text, name)})
    assert "camera_calibration" in refused.value.remedy
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "file:///nowhere.yaml",
        "http://host/a.yaml",
        "package://",
        "package://../a",
        "file:///dev/zero",
        "/",
        "~no-such-user/a.yaml",
        "file://~no-such-user/a.yaml",
    ],
)
def test_a_place_that_is_none_is_refused(url):
    with pytest.raises(SettingError, match="camera_info_url cannot be"):
        validate({"camera_info_url": url})


def listener(found):
    camera = CameraInfoListener(Quiet())
    camera.rectify("auto", 0.0)
    camera.take_file(found)
    return camera


def test_the_camera_of_a_file_is_the_one_that_its_camera_info_would_be(write):
    found = read_calibration(write(YAML))
    calibration = listener(found).calibration
    info = SerializedCameraInfo(480, 640, "plumb_bob", D, K, found.r, P, 0, 0, RegionOfInterest(0, 0, 0, 0))
    seen = seen_camera(info, rectified=False)
    assert (calibration.camera, calibration.lens) == (seen.camera, seen.lens)
    assert calibration.source == found.source


def test_a_file_is_scaled_to_pictures_of_the_same_shape_only(write):
    calibration = listener(read_calibration(write(YAML))).calibration
    half = calibration.fitted(320, 240)
    assert half.camera == calibration.camera.scale(320, 240)
    assert half.lens.camera == calibration.lens.camera.scale(320, 240)
    assert half.lens.distortion == calibration.lens.distortion
    assert calibration.fitted(640, 480) is calibration
    assert calibration.fitted(640, 360) is calibration
    topics = Calibration(calibration.info, calibration.camera, "")
    assert topics.fitted(320, 240) is topics, "a driver's camera_info is of its own pictures"


def test_a_file_gives_way_to_the_topic_when_it_is_taken_away(write):
    camera = listener(read_calibration(write(YAML)))
    camera.take_file(None)
    assert camera.calibration is None
    assert camera.problem == ""


@pytest.mark.parametrize(("text", "name"), [(YAML, "a.yaml"), (KALIBR, "a.yaml"), (INI, "a.ini")])
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path, text, name):
    rng = random.Random(22)
    whole, path = textwrap.dedent(text).encode(), tmp_path / name
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            what = rng.choice((b"\0", b"-", b"9", b"e", b":", b"[", b"{", b"\xff", b"\n", b"", b"1e999"))
            data[at : at + rng.choice((0, 1, 9))] = what
        path.write_bytes(data)
        try:
            found = read_calibration(str(path), anew=True)
        except SettingError:
            continue
        camera = listener(found)
        assert camera.calibration is not None or camera.problem


def test_a_file_is_read_again_where_that_is_asked_for_and_a_spoilt_one_replaces_nothing(write):
    url = write(YAML)
    before = read_calibration(url)
    write(YAML.replace("[520", "[530"))
    assert read_calibration(url) is before
    after = read_calibration(url, anew=True)
    assert (before.k[0], after.k[0]) == (520, 530)
    assert read_calibration(url) is after
    write("no: calibration")
    with pytest.raises(SettingError):
        read_calibration(url, anew=True)
    assert read_calibration(url) is after
