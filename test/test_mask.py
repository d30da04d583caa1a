"""Masks are read with care, and what they hide has no depth anywhere: in no output, through no lens."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import SettingError
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.mask import parse_mask
from fastdepth_ros.network import PRUNED
from fastdepth_ros.parameters import validate
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

KINECT = Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5)
MANIFEST = Manifest("test", PRUNED)
BODY = "100 300, 400 350, 380 479, 90 479; 500 50, 540 50, 540 90, 500 90"
LENS = Lens(Intrinsics(640, 480, 420.0, 421.0, 322.0, 236.0), Distortion("plumb_bob", (-0.33, 0.12, 0.001, -0.001, 0)))
GREY = Picture(np.full((480, 640), 90, np.uint8), "grey")


class KnownAnswer:
    """An engine that answers 2 m everywhere."""

    input = np.zeros((224, 224, 3), np.uint8)

    def run(self):
        return np.full((112, 112), 2.0, np.float32)


def answer(lens=None, mask=BODY, **settings):
    pipeline = Pipeline(KnownAnswer(), MANIFEST, Settings(**settings))
    pipeline.mask = parse_mask(mask) if mask else None
    return pipeline.run(GREY, KINECT, uncertainty=True, lens=lens), pipeline


@pytest.fixture
def png(tmp_path):
    def write(pixels, name="mask.png"):
        path = tmp_path / name
        cv2.imwrite(str(path), pixels)
        return str(path)

    return write


def test_polygons_hide_what_lies_in_them():
    hides = parse_mask(BODY).of(640, 480)
    assert hides.shape == (480, 640)
    assert hides[400, 200]
    assert hides[70, 520]
    assert not hides[200, 200]
    assert not hides[100, 560]


def test_polygons_that_overlap_hide_both():
    assert parse_mask("0 0, 9 0, 9 9, 0 9; 5 5, 12 5, 12 12, 5 12").of(20, 20)[7, 7]


def test_polygons_may_reach_beyond_the_picture():
    hides = parse_mask("-50 -50, 1000 -50, 1000 10.5, -50 10.5").of(64, 48)
    assert hides[:10].all()
    assert not hides[12:].any()


def test_a_png_hides_where_it_is_black(png):
    pixels = np.full((480, 640), 255, np.uint8)
    pixels[300:, :200] = 0
    pixels[0, 0] = 1
    np.testing.assert_array_equal(parse_mask(png(pixels)).of(640, 480), pixels == 0)
    np.testing.assert_array_equal(parse_mask(png(cv2.merge([pixels] * 3), "rgb.png")).of(640, 480), pixels == 0)


@pytest.mark.parametrize("lens", [None, LENS])
@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_no_masked_pixel_has_depth_in_the_cameras_grid(lens, encoding):
    settings = {"output_size": "camera", "output_camera": "raw", "depth_encoding": encoding, "cloud": "xyz"}
    frame, _ = answer(lens, **settings)
    plain, _ = answer(lens, mask="", **settings)
    hides = parse_mask(BODY).of(640, 480)
    none = frame.depth == 0 if encoding == "16UC1" else np.isnan(frame.depth)
    assert none[hides].all()
    assert np.isnan(frame.cloud[hides]).all()
    assert np.isnan(frame.uncertainty[hides]).all()
    near = cv2.dilate(hides.astype(np.uint8), np.ones((17, 17), np.uint8)).astype(bool)
    np.testing.assert_array_equal(frame.depth[~near], plain.depth[~near])


@pytest.mark.parametrize("lens", [None, LENS])
def test_no_point_of_the_native_cloud_is_of_the_body(lens):
    frame, pipeline = answer(lens)
    assert 0.1 < pipeline.hidden < 0.5
    assert np.isnan(frame.depth).mean() == pytest.approx(pipeline.hidden)
    points = frame.cloud[np.isfinite(frame.cloud[..., 2])].astype(np.float64)
    camera = KINECT if lens is None else lens.camera
    pixels = camera.project(points) if lens is None else lens.pixels(points[:, :2] / points[:, 2:])
    columns, rows = np.rint(pixels).astype(int).T
    inside = (columns >= 0) & (columns < 640) & (rows >= 0) & (rows < 480)
    assert not parse_mask(BODY).of(640, 480)[rows[inside], columns[inside]].any()


def test_one_masked_pixel_takes_its_cell_and_no_more():
    frame, _ = answer(mask="320 240, 320 240, 320 240", output_size="camera")
    assert np.isnan(frame.depth[240, 320])
    assert np.isnan(frame.depth[30:450, 40:600]).sum() <= 36


def test_without_a_mask_nothing_is_hidden():
    frame, pipeline = answer(mask="")
    assert np.isfinite(frame.depth).all()
    assert pipeline.hidden == 0


def test_a_mask_comes_and_goes_between_frames():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    for words in (BODY, "", BODY):
        pipeline.mask = parse_mask(words) if words else None
        assert np.isnan(pipeline.run(GREY, KINECT).depth).any() == bool(words)


def test_a_file_of_another_size_is_named_with_both_sizes(png):
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    pipeline.mask = parse_mask(png(np.zeros((240, 320), np.uint8)))
    with pytest.raises(SettingError, match="320x240 pixels, the picture 640x480") as refused:
        pipeline.run(GREY, KINECT)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("0 0, 9 0", "three corners"),
        ("0 0, 9 0, 9", "three corners"),
        ("0 0 0, 9 0 0, 9 9 9", "three corners"),
        ("0 0, 9 0, 9 9-", "no number"),
        ("0 0, 9 0, 9 999999999", "farther"),
        ("/nowhere/mask.png", "No such file"),
        ("/dev/zero", "no regular file"),
        ("/", "directory"),
        ("~no-such-user/mask.png", "nobody knows that home"),
    ],
)
def test_what_is_no_mask_is_refused_with_a_remedy(words, cause):
    with pytest.raises(SettingError, match=cause) as refused:
        validate({"mask": words})
    assert "black where there is to be no depth" in refused.value.remedy


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "neither JPEG nor PNG"),
        (b"not a picture", "neither JPEG nor PNG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0" + b"\0" * 40, "it"),
        (b"\0" * (2**24 + 1), "more than"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_before_it_is_decoded(tmp_path, data, cause):
    path = tmp_path / "mask.png"
    path.write_bytes(data)
    with pytest.raises(SettingError, match=cause):
        validate({"mask": str(path)})


def test_a_pipe_in_the_place_of_a_file_does_not_hold_anybody_up(tmp_path):
    os.mkfifo(tmp_path / "mask.png")
    with pytest.raises(SettingError, match="no regular file"):
        validate({"mask": str(tmp_path / "mask.png")})


def test_none_is_no_mask():
    assert validate({"mask": "none"}).mask == "none"
