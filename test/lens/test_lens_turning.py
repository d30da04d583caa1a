"""A camera that is mounted turned: the network sees the room upright, and answers stay in the camera's own grid."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.lens.turning import DOWN, rotation_of, upright_pixels
from fastdepth_ros.mask import parse_mask
from fastdepth_ros.network import PRUNED
from fastdepth_ros.node.anchor_floor import floor_of
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

MANIFEST = Manifest("test", PRUNED, training_focal=(201.37, 268.49))
TURNS = {"0": 0, "90": 3, "180": 2, "270": 1}
"""Rotation -> how many times numpy turns the own picture (counterclockwise) until it is upright."""

UPRIGHT = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 9)
UPRIGHT = cv2.normalize(UPRIGHT, None, 0, 255, cv2.NORM_MINMAX)
RIGHT, DOWNWARDS = np.linspace(0, 255, 640)[:, None], np.linspace(0, 255, 480)[:, None, None]
UPRIGHT = np.uint8(0.2 * UPRIGHT + 0.6 * RIGHT + 0.2 * DOWNWARDS)
CAMERA = Intrinsics(640, 480, 525.0, 525.0, 300.0, 250.0)


class Bright:
    """An engine that takes bright things for far: 1 to 5 m."""

    def __init__(self):
        self.input = np.zeros((224, 224, 3), np.uint8)

    def run(self):
        red = self.input[..., 0].reshape(112, 2, 112, 2).mean((1, 3))
        return (1 + red / 64).astype(np.float32)


def own(pixels, rotation):
    """What a camera that is turned sends of an upright picture."""
    return np.ascontiguousarray(np.rot90(pixels, -TURNS[rotation]))


def own_camera(rotation, camera=CAMERA):
    """The matrix of that camera."""
    width, height, cx, cy = camera.width, camera.height, camera.cx, camera.cy
    return {
        "0": camera,
        "90": Intrinsics(height, width, camera.fy, camera.fx, cy, width - 1 - cx),
        "180": replace(camera, cx=width - 1 - cx, cy=height - 1 - cy),
        "270": Intrinsics(height, width, camera.fy, camera.fx, height - 1 - cy, cx),
    }[rotation]


def run(rotation, order="rgb", lens=None, mask="", **wanted):
    settings = {name: wanted.pop(name) for name in list(wanted) if name in Settings.__dataclass_fields__}
    pipeline = Pipeline(Bright(), MANIFEST, Settings(rotation=rotation, **settings))
    pipeline.mask = parse_mask(mask) if mask else None
    picture = own(UPRIGHT if order == "rgb" else UPRIGHT[..., ::-1], rotation)
    return pipeline.run(Picture(picture, order), own_camera(rotation), lens=lens, **wanted), pipeline


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_network_sees_the_room_upright(rotation, order):
    _, pipeline = run(rotation, order)
    _, plain = run("0", order)
    off = np.abs(pipeline._engine.input.astype(int) - plain._engine.input.astype(int))
    assert off.max() <= 3


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("size", ["native", "camera"])
@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_answers_are_in_the_cameras_own_grid(rotation, size, encoding):
    wanted = {"output_size": size, "depth_encoding": encoding, "uncertainty": True}
    frame, plain = run(rotation, **wanted)[0], run("0", **wanted)[0]
    step = 1000 if encoding == "16UC1" else 1
    expected = own(plain.depth, rotation)
    assert frame.depth.shape == expected.shape
    there = (
        np.isfinite(expected) & np.isfinite(frame.depth) if encoding == "32FC1" else (expected > 0) & (frame.depth > 0)
    )
    assert there.mean() > (0.98 if size == "native" else 0.8)
    off = np.abs(frame.depth.astype(float) - expected)[there] / step
    assert np.percentile(off, 98) < 0.1, "but at the rims of cells, which an even side rounds one way"
    assert np.nanpercentile(np.abs(frame.uncertainty - own(plain.uncertainty, rotation)), 95) < 0.1


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("size", ["native", "camera"])
def test_points_are_in_the_cameras_own_frame(rotation, size):
    frame, _ = run(rotation, output_size=size, cloud="xyzrgb")
    rows, columns = np.nonzero(np.isfinite(frame.cloud[..., 2]))
    pixels = frame.intrinsics.project(frame.cloud[rows, columns, :3].astype(np.float64))
    np.testing.assert_allclose(pixels, np.column_stack((columns, rows)), atol=0.01)
    assert (frame.intrinsics.width, frame.intrinsics.height) == frame.depth.shape[::-1]
    if size == "camera":
        packed = np.ascontiguousarray(frame.cloud[..., 3]).view(np.uint32)[rows, columns]
        np.testing.assert_array_equal(packed >> 16 & 255, own(UPRIGHT, rotation)[rows, columns, 0])
    else:
        red = np.ascontiguousarray(frame.cloud[..., 3]).view(np.uint32)[rows, columns] >> 16 & 255
        depth = frame.depth[rows, columns]
        assert np.corrcoef(red, depth)[0, 1] > 0.95, "bright is far"


@pytest.mark.parametrize("rotation", TURNS)
def test_anchors_belong_to_the_pixels_that_they_were_measured_at(rotation):
    """Depth grows to the right: anchors that were left unturned would say something else of each place."""
    seen = []

    def sight(metres, camera):
        rows, columns = np.mgrid[4:108:8, 4:108:8]
        cells = metres[rows, columns].ravel()
        pixels = np.column_stack((2 * columns.ravel() + 0.5, 2 * rows.ravel() + 0.5)).astype(np.float32)
        depths = (1.3 * cells).astype(np.float32)
        seen.append(camera)
        return [Anchors("anchors", pixels, depths, np.full(len(cells), 0.02, np.float32))]

    frame, _ = run(rotation, anchors=sight)
    plain, _ = run(rotation)
    assert frame.anchoring.sources[0].used >= 160, "those that lie elsewhere disagree"
    assert np.nanpercentile(np.abs(frame.depth / plain.depth - 1.3), 95) < 0.1
    assert seen[0] == frame.intrinsics


@pytest.mark.parametrize("rotation", TURNS)
def test_a_mask_is_in_the_cameras_own_picture(rotation):
    camera = own_camera(rotation)
    frame, _ = run(rotation, mask="60 70, 200 70, 200 190, 60 190", output_size="camera")
    assert np.isnan(frame.depth[80:180, 70:190]).all()
    middle = frame.depth[camera.height // 2 - 20 :, camera.width // 2 - 20 :][:100, :100]
    assert np.isfinite(middle).all()


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("kind", ["raw", "rectified"])
def test_a_turned_camera_may_be_distorted_too(rotation, kind):
    camera = own_camera(rotation)
    lens = Lens(camera, Distortion("plumb_bob", (-0.2, 0.05, 0.0, 0.0, 0.0)))
    upright_lens = Lens(CAMERA, lens.distortion)
    wanted = {"output_size": "camera", "output_camera": kind}
    frame, plain = run(rotation, lens=lens, **wanted)[0], run("0", lens=upright_lens, **wanted)[0]
    expected = own(plain.depth, rotation)
    there = np.isfinite(expected) & np.isfinite(frame.depth)
    assert there.mean() > 0.7
    assert np.percentile(np.abs(frame.depth - expected)[there], 97) < 0.15


def test_the_rotation_changes_between_frames():
    pipeline = Pipeline(Bright(), MANIFEST)
    shapes = []
    for rotation in ("0", "90", "180", "0"):
        pipeline.settings = Settings("camera", rotation=rotation)
        picture = own(UPRIGHT, rotation)
        shapes.append(pipeline.run(Picture(picture, "rgb"), own_camera(rotation)).depth.shape)
    assert shapes == [(480, 640), (640, 480), (480, 640), (480, 640)]


@pytest.mark.parametrize("rotation", TURNS)
def test_pixels_turn_with_their_picture(rotation):
    width, height = own(UPRIGHT, rotation).shape[1::-1]
    pixels = np.array([[10, 20], [0, 0], [width - 1, 5]], np.float32)
    turned = upright_pixels(pixels, width, height, rotation).astype(int)
    for (x, y), (u, v) in zip(pixels.astype(int), turned, strict=True):
        np.testing.assert_array_equal(own(UPRIGHT, rotation)[y, x], UPRIGHT[v, u])


@pytest.mark.parametrize("rotation", TURNS)
def test_the_floor_is_where_upright_is_down(rotation):
    """One step down in the own picture is one step down in the upright one."""
    floor = floor_of(1.2, 0.0, "", None, None, "eye", 0.0, 0.5, rotation)
    width, height = own(UPRIGHT, rotation).shape[1::-1]
    start = np.array([[100.0, 100.0]], np.float32)
    ends = upright_pixels(start + np.array(DOWN[rotation], np.float32), width, height, rotation)
    np.testing.assert_allclose(ends - upright_pixels(start, width, height, rotation), [[0.0, 1.0]])
    assert floor.down[:2] == DOWN[rotation]


@pytest.mark.parametrize(
    ("degrees", "pitch", "current", "expected"),
    [
        (0, 0, "0", "0"),
        (0, 0, "90", "0"),
        (90, 0, "0", "90"),
        (180, 20, "0", "180"),
        (270, -20, "0", "270"),
        (40, 0, "0", "0"),
        (50, 0, "0", "0"),
        (60, 0, "0", "90"),
        (50, 0, "90", "90"),
        (30, 0, "90", "0"),
        (180, 80, "0", "0"),
        (180, 80, "180", "180"),
    ],
)
def test_gravity_says_which_way_up_a_camera_is(degrees, pitch, current, expected):
    """At 0 degrees down is down in the picture, at 90 to its right; a camera that looks down keeps what it had."""
    angle, tilt = np.radians(degrees), np.radians(pitch)
    down = (np.sin(angle) * np.cos(tilt), np.cos(angle) * np.cos(tilt), np.sin(tilt))
    assert rotation_of(down, current) == expected


def test_gravity_that_is_no_number_changes_nothing():
    assert rotation_of((float("nan"), 0.0, 1.0), "90") == "90"


def test_auto_is_the_rotation_that_was_found():
    pipeline = Pipeline(Bright(), MANIFEST, Settings("camera", rotation="auto"))
    for rotation in ("0", "90", "270"):
        pipeline.turned = rotation
        depth = pipeline.run(Picture(own(UPRIGHT, rotation), "rgb"), own_camera(rotation)).depth.copy()
        np.testing.assert_array_equal(depth, run(rotation, output_size="camera")[0].depth)
