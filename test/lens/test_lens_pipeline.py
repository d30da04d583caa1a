"""A raw picture's way through the pipeline: one remap in, and points that project back where they were seen."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens import warp as warp_room
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens, pinhole
from fastdepth_ros.lens.warp import Rectifier, Warp
from fastdepth_ros.network import PRUNED
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

RAW = Intrinsics(640, 480, 420.0, 421.0, 322.0, 236.0)
MATRIX = np.array([[420.0, 0.0, 322.0], [0.0, 421.0, 236.0], [0.0, 0.0, 1.0]])
PINHOLE = Intrinsics(640, 480, 400.0, 402.0, 318.0, 241.0)
MANIFEST = Manifest("test", PRUNED)
TURN = cv2.Rodrigues(np.array([0.02, -0.05, 0.01]))[0]
PLUMB_BOB = Distortion("plumb_bob", (-0.33, 0.12, 0.001, -0.0007, -0.02))
EQUIDISTANT = Distortion("equidistant", (-0.01, 0.02, -0.01, 0.002))
LENSES = [
    Lens(RAW, PLUMB_BOB),
    Lens(RAW, PLUMB_BOB, tuple(TURN.ravel())),
    Lens(RAW, Distortion("rational_polynomial", (0.5, -0.3, 0.0005, 0.0002, 0.05, 0.8, -0.2, 0.01))),
    Lens(RAW, EQUIDISTANT),
]


class KnownAnswer:
    """An engine that remembers its input and answers what the test says."""

    def __init__(self, answer=None):
        self.input = np.zeros((224, 224, 3), np.uint8)
        self.answer = np.full((112, 112), 2.0, np.float32) if answer is None else answer

    def run(self):
        return self.answer


def ramp(lens=LENSES[0]):
    """A picture that grows brighter to the right (red) and downwards (green), gently; right on average, by dither."""
    rows, columns = np.mgrid[0 : lens.camera.height, 0 : lens.camera.width].astype(np.float32)
    red, green = columns * 255 / lens.camera.width, rows * 255 / lens.camera.height
    exact = np.stack((red, green, np.zeros_like(red)), axis=-1)
    return np.floor(exact + np.random.default_rng(2).random(exact.shape)).astype(np.uint8)


def opencv_maps(lens, camera):
    """OpenCV's maps that rectify the whole picture, as image_proc does."""
    new = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    turn, d = np.array(lens.rotation).reshape(3, 3), np.array(lens.distortion.coefficients)
    make = cv2.fisheye if lens.distortion.model == "equidistant" else cv2
    size = (camera.width, camera.height)
    return make.initUndistortRectifyMap(MATRIX, d, turn, new, size, cv2.CV_32FC1)


def raw_pixels(points, lens):
    """OpenCV's raw pixels (n, 2) of points (n, 3) in the raw camera's frame."""
    zero, d = np.zeros(3), np.array(lens.distortion.coefficients)
    project = cv2.fisheye.projectPoints if lens.distortion.model == "equidistant" else cv2.projectPoints
    return project(points.astype(np.float64).reshape(-1, 1, 3), zero, zero, MATRIX, d)[0].reshape(-1, 2)


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_network_sees_what_a_rectified_picture_would_show_it(lens, order):
    picture = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 6)
    raw, plain = KnownAnswer(), KnownAnswer()
    Pipeline(raw, MANIFEST).run(Picture(picture, order), PINHOLE, lens=lens)
    whole = cv2.remap(picture, *opencv_maps(lens, PINHOLE), cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    Pipeline(plain, MANIFEST).run(Picture(whole, order), PINHOLE)
    off = np.abs(raw.input.astype(int) - plain.input.astype(int))
    assert off.mean() < 1.0
    assert off.max() <= 6


@pytest.mark.parametrize("lens", LENSES)
def test_points_of_the_native_cloud_project_back_to_where_the_raw_picture_shows_them(lens):
    engine = KnownAnswer()
    frame = Pipeline(engine, MANIFEST, Settings(cloud="xyz")).run(Picture(ramp(lens), "rgb"), PINHOLE, lens=lens)
    assert np.isfinite(frame.cloud).all(), "this view is within the picture"
    points = frame.cloud.reshape(-1, 3) @ np.array(lens.rotation).reshape(3, 3)
    landed = raw_pixels(points, lens).reshape(224, 224, 2)
    shown = engine.input[..., :2] * (lens.camera.width / 255, lens.camera.height / 255)
    # A colour says it to 2.5 px, the mean of 56 x 56 of them to a fraction of a tenth.
    assert np.abs(shown - landed).max() < 4.0
    off = (shown - landed).reshape(4, 56, 4, 56, 2).mean((1, 3))
    assert np.abs(off).max() < 0.1


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("stride", [1, 5])
def test_points_in_the_raw_grid_project_back_to_their_own_pixels(lens, stride):
    answer = np.linspace(1, 5, 112 * 112, dtype=np.float32).reshape(112, 112)
    settings = Settings("camera", output_camera="raw", cloud_stride=stride)
    frame = Pipeline(KnownAnswer(answer), MANIFEST, settings).run(Picture(ramp(lens), "rgb"), PINHOLE, lens=lens)
    assert frame.depth.shape == (480, 640)
    assert frame.intrinsics == lens.camera
    assert frame.lens is lens
    there = np.isfinite(frame.cloud[..., 2])
    assert there.mean() > 0.5
    rows, columns = np.nonzero(there)
    own = np.column_stack((columns, rows)) * stride
    assert np.abs(raw_pixels(frame.cloud[there], lens) - own).max() < 0.1
    np.testing.assert_array_equal(frame.cloud[..., 2][there], frame.depth[::stride, ::stride][there])


def test_each_raw_pixel_looks_up_the_cell_that_its_ray_meets():
    """The same depths, whether a raw pixel asks or the rectified pixel at the end of its ray."""
    lens = LENSES[0]
    answer = np.linspace(1, 5, 112 * 112, dtype=np.float32).reshape(112, 112)
    answers = {}
    for kind in ("raw", "rectified"):
        pipeline = Pipeline(KnownAnswer(answer), MANIFEST, Settings("camera", output_camera=kind))
        answers[kind] = pipeline.run(Picture(ramp(), "rgb"), PINHOLE, lens=lens).depth
    rows, columns = np.mgrid[0:480:7, 0:640:7]
    rays = lens.rays(np.stack((columns, rows), axis=-1).astype(np.float64))
    where = np.rint(rays * (PINHOLE.fx, PINHOLE.fy) + (PINHOLE.cx, PINHOLE.cy)).astype(int)
    inside = ((where >= 0) & (where < (640, 480))).all(-1)
    rectified = answers["rectified"][where[inside][:, 1], where[inside][:, 0]]
    raw = answers["raw"][rows[inside], columns[inside]]
    same = (raw == rectified) | (np.isnan(raw) & np.isnan(rectified))
    assert same.mean() > 0.7, "where rays meet the rims of cells, rounding to a pixel decides"
    both = np.isfinite(raw) & np.isfinite(rectified)
    assert np.abs(raw - rectified)[both].max() < 5 / 112, "a row of cells"


def test_depth_in_the_raw_grid_is_along_the_raw_cameras_axis():
    lens = LENSES[1]
    settings = Settings("camera", output_camera="raw")
    frame = Pipeline(KnownAnswer(), MANIFEST, settings).run(Picture(ramp(), "rgb"), PINHOLE, lens=lens)
    there = np.isfinite(frame.depth)
    rectified = frame.cloud[there] @ np.array(lens.rotation).reshape(3, 3).T
    np.testing.assert_allclose(rectified[:, 2], 2.0, rtol=1e-5)


def test_what_lies_outside_the_picture_has_no_depth_anywhere():
    """A pinhole that sees more than the lens does."""
    wide = pinhole(640, 480, 110.0)
    settings = Settings(cloud="xyz")
    frame = Pipeline(KnownAnswer(), MANIFEST, settings).run(
        Picture(ramp(), "rgb"), wide, uncertainty=True, lens=LENSES[0]
    )
    outside = np.isnan(frame.depth)
    assert 0.1 < outside.mean() < 0.9
    assert outside[0, 0]
    assert not outside[112, 112]
    np.testing.assert_array_equal(np.isnan(frame.cloud).any(-1), outside)
    np.testing.assert_array_equal(np.isnan(frame.uncertainty), outside)
    points = frame.cloud[~outside]
    landed = raw_pixels(points, LENSES[0])
    assert ((landed >= -0.5) & (landed <= (639.5, 479.5))).all()
    millimetres = Pipeline(KnownAnswer(), MANIFEST, Settings(depth_encoding="16UC1")).run(
        Picture(ramp(), "rgb"), wide, lens=LENSES[0]
    )
    np.testing.assert_array_equal(millimetres.depth == 0, outside)


def test_fine_stripes_become_grey_and_no_pattern():
    """1920x1080 pixels for 224x224: stripes of one pixel are finer than the network can see."""
    camera = Intrinsics(1920, 1080, 1400.0, 1400.0, 959.5, 539.5)
    lens = Lens(camera, Distortion("plumb_bob", (-0.1, 0.02, 0.0, 0.0, 0.0)))
    stripes = np.zeros((1080, 1920), np.uint8)
    stripes[:, ::2] = 255
    for picture in (stripes, np.ascontiguousarray(np.tile(stripes[:1, :1080].T, (1, 1920)))):
        engine = KnownAnswer()
        Pipeline(engine, MANIFEST).run(Picture(picture, "grey"), camera, lens=lens)
        assert np.abs(engine.input.astype(int) - 127).max() <= 8


@pytest.mark.parametrize("reduction", [2, 4])
def test_a_picture_that_was_decoded_smaller_shows_the_same(reduction):
    camera = Intrinsics(1280, 960, 840.0, 842.0, 644.5, 472.5)
    lens = Lens(camera, PLUMB_BOB)
    picture = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (960, 1280, 3), np.uint8), (0, 0), 12)
    small = cv2.resize(picture, None, fx=1 / reduction, fy=1 / reduction, interpolation=cv2.INTER_AREA)
    seen = []
    for each in (Picture(picture, "rgb"), Picture(small, "rgb", reduction, (1280, 960))):
        engine = KnownAnswer()
        Pipeline(engine, MANIFEST).run(each, camera, lens=lens)
        seen.append(engine.input.astype(int))
    assert np.abs(seen[0] - seen[1]).max() <= 4


def test_jpegs_are_not_decoded_smaller_than_a_narrow_view_needs():
    camera = Intrinsics(1280, 960, 840.0, 842.0, 644.5, 472.5)
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    picture = Picture(np.zeros((960, 1280, 3), np.uint8), "rgb")
    pipeline.run(picture, camera)
    assert pipeline.reduction(1280, 960) == 4
    pipeline.run(picture, pinhole(1280, 960, 20.0), lens=Lens(camera, PLUMB_BOB))
    assert pipeline.reduction(1280, 960) == 1
    pipeline.run(picture, camera)
    assert pipeline.reduction(1280, 960) == 4


@pytest.mark.parametrize("kind", ["rectified", "raw"])
def test_each_point_has_the_colour_of_what_it_is(kind):
    lens = LENSES[0]
    settings = Settings("camera", cloud="xyzrgb", output_camera=kind)
    cloud = Pipeline(KnownAnswer(), MANIFEST, settings).run(Picture(ramp(), "rgb"), PINHOLE, lens=lens).cloud
    there = np.isfinite(cloud[..., 2])
    landed = raw_pixels(np.ascontiguousarray(cloud[..., :3][there]), lens)
    packed = np.ascontiguousarray(cloud[..., 3]).view(np.uint32)[there]
    shown = np.stack((packed >> 16 & 255, packed >> 8 & 255), axis=-1) * (640 / 255, 480 / 255)
    inside = ((landed > 1) & (landed < (638, 478))).all(-1)
    assert np.abs(shown - landed)[inside].max() < 4.0


def test_a_lens_of_another_size_is_refused():
    lens = replace(LENSES[0], camera=RAW.scale(320, 240))
    with pytest.raises(CalibrationError, match="320x240"):
        Pipeline(KnownAnswer(), MANIFEST).run(Picture(ramp(), "rgb"), PINHOLE, lens=lens)


def test_a_picture_without_end_is_refused_and_not_remapped():
    camera = Intrinsics(40_000, 4, 30_000.0, 30_000.0, 20_000.0, 1.5)
    lens = Lens(camera, Distortion("plumb_bob", (-0.01, 0.0, 0.0, 0.0, 0.0)))
    with pytest.raises(CalibrationError, match="too large"):
        Pipeline(KnownAnswer(), MANIFEST).run(Picture(np.zeros((4, 40_000), np.uint8), "grey"), camera, lens=lens)


def test_maps_are_made_once_for_a_calibration():
    pipeline, picture = Pipeline(KnownAnswer(), MANIFEST), Picture(ramp(), "rgb")
    pipeline.run(picture, PINHOLE, lens=LENSES[0])
    warp = pipeline._viewing.geometry(picture, PINHOLE, LENSES[0], "0").warp
    pipeline.run(picture, PINHOLE, lens=replace(LENSES[0]))
    assert pipeline._viewing.geometry(picture, PINHOLE, LENSES[0], "0").warp is warp


@pytest.mark.parametrize("lens", LENSES[1:2])
def test_maps_of_a_large_raw_picture_take_little_more_memory_than_they_are(lens):
    """Rays of 12 megapixels as they were computed, all at once, took a gigabyte: more than a small board has."""
    large = replace(lens, camera=lens.camera.scale(1600, 1200))
    warp = Warp(large, PINHOLE)
    tracemalloc.start()
    try:
        warp.look_up(np.ones((PINHOLE.height // 2, PINHOLE.width // 2), np.float32), np.empty((1200, 1600), np.float32))
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most - kept < 40 << 20


def test_maps_that_were_made_in_strips_are_as_those_of_one_piece(monkeypatch):
    slopes, maps = [], []
    for strip in (1 << 30, 5000):
        monkeypatch.setattr(warp_room, "STRIP", strip)
        warp = Warp(LENSES[1], PINHOLE)
        out = np.empty((RAW.height, RAW.width), np.float32)
        warp.look_up(np.arange(320 * 240, dtype=np.float32).reshape(240, 320), out)
        slopes.append((*warp.slopes(), out))
        seen = np.empty((480, 640, 3), np.uint8)
        Rectifier(LENSES[1], PINHOLE).rectify(ramp(LENSES[1]), seen)
        maps.append(seen)
    for one, other in zip(*slopes, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(*maps)
