"""Steady depth in the way of a frame: off it costs nothing, and it begins anew with every change of what is seen."""

from dataclasses import replace

import numpy as np
import pytest
from flicker import errors
from test_pipeline import KINECT, MANIFEST, KnownAnswer, scene

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.mask import parse_mask
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings

PERIOD = 1 / 30


class Flicker(KnownAnswer):
    """A network whose answers to one wall differ in each part by 5 %."""

    def __init__(self, metres=2.0):
        super().__init__()
        self.metres = metres
        self.rng = np.random.default_rng(0)

    def run(self):
        return np.float32(self.metres) * np.exp(errors(self.rng, 0.05))


class Camera:
    """A standing camera and a pipeline that answers it."""

    def __init__(self, engine=None, **settings):
        self.pipeline = Pipeline(engine or Flicker(), MANIFEST, Settings(**settings))
        self.now = 100.0

    def look(self, camera=KINECT, picture=None, **arguments):
        self.now += PERIOD
        shown = Picture(scene() if picture is None else picture, "rgb")
        return self.pipeline.run(shown, camera, now=self.now, cloud=False, **arguments)

    def flicker(self, frames=24, **arguments):
        """Standard deviation over time of log depth, after a while."""
        depths = [self.look(**arguments).depth.copy() for _ in range(frames)]
        return float(np.nanmean(np.log(np.stack(depths[8:])).std(0)))


def test_depth_of_a_standing_camera_flickers_half_as_much_at_most():
    alone, steady = Camera(), Camera(steadiness=0.5)
    assert steady.flicker() < 0.5 * alone.flicker()
    assert steady.pipeline.goes_on == 1.0


def test_without_it_there_is_no_stage_and_nothing_is_kept():
    camera = Camera(steadiness=0.5)
    assert "steady" in camera.look().stages
    camera.pipeline.settings = Settings()
    assert "steady" not in camera.look().stages
    assert camera.pipeline.goes_on == 0.0
    exact = Camera(KnownAnswer(np.full((112, 112), 2.0, np.float32)))
    other = Camera(KnownAnswer(np.full((112, 112), 2.0, np.float32)))
    np.testing.assert_array_equal(exact.look().depth, other.look().depth)


@pytest.mark.parametrize("output_size", ["native", "camera"])
@pytest.mark.parametrize("rotation", ["0", "90"])
def test_answers_in_every_grid_are_steady(output_size, rotation):
    settings = {"output_size": output_size, "rotation": rotation}
    assert Camera(steadiness=0.5, **settings).flicker(16) < 0.5 * Camera(**settings).flicker(16)


def changed_camera(camera):
    return camera.look(replace(KINECT, fx=600.0, fy=600.0))


def changed_size(camera):
    return camera.look(None, picture=scene(240, 320))


def changed_mask(camera):
    camera.pipeline.mask = parse_mask("0 0, 100 0, 100 100")
    return camera.look()


def changed_rotation(camera):
    camera.pipeline.settings = Settings(steadiness=1.0, rotation="90")
    return camera.look()


def after_a_pause(camera):
    camera.now += 10
    return camera.look()


def off_and_on(camera):
    camera.pipeline.settings = Settings()
    camera.look()
    camera.pipeline.settings = Settings(steadiness=1.0)
    return camera.look()


def changed_scale(camera):
    camera.pipeline.settings = Settings(steadiness=1.0, depth_scale=1.3)
    return camera.look()


CHANGES = (changed_camera, changed_size, changed_mask, changed_rotation, changed_scale, after_a_pause, off_and_on)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_begins_anew(change):
    camera = Camera(steadiness=1.0)
    for _ in range(3):
        camera.look()
    assert camera.pipeline.goes_on == 1.0
    change(camera)
    assert camera.pipeline.goes_on == 0.0
    # What was changed stays so, and depth goes on from there.
    arguments = {"camera": replace(KINECT, fx=600.0, fy=600.0)} if change is changed_camera else {}
    if change is changed_size:
        arguments = {"camera": None, "picture": scene(240, 320)}
    camera.look(**arguments)
    assert camera.pipeline.goes_on == 1.0


def test_what_has_no_depth_has_none_afterwards():
    answer = np.full((112, 112), 2.0, np.float32)
    answer[:10], answer[10:20], answer[20:30] = 0.0, 50.0, 0.05
    camera = Camera(KnownAnswer(answer), steadiness=1.0)
    for _ in range(4):
        depth = camera.look(None).depth
    assert np.isnan(depth[:20]).all()
    assert np.isposinf(depth[20:40]).all()
    assert np.isneginf(depth[40:60]).all()
    np.testing.assert_allclose(depth[62:], 2.0, rtol=1e-3)


def test_depth_is_anchored_after_it_is_steadied():
    """What was measured is no flicker: a scale that anchors find holds at once."""
    camera = Camera(KnownAnswer(np.full((112, 112), 2.0, np.float32)), steadiness=1.0)
    for _ in range(4):
        camera.look()
    ratio = float(camera.look().depth[112, 112]) / 2
    pixels = np.stack(np.meshgrid(np.arange(20, 210, 20), np.arange(20, 210, 20)), -1).reshape(-1, 2)
    depths = np.full(len(pixels), 3.2 * ratio, np.float32)
    anchors = Anchors("points", pixels.astype(np.float32), depths, np.full(len(pixels), 0.02, np.float32))
    alone = Camera(KnownAnswer(np.full((112, 112), 2.0, np.float32)))
    expected = alone.look(anchors=[anchors]).depth
    np.testing.assert_allclose(camera.look(anchors=[anchors]).depth, expected, rtol=0.01)


def test_a_steady_frame_allocates_no_buffer():
    camera = Camera(steadiness=0.5)
    for _ in range(3):
        first = camera.look().depth
    filter_ = camera.pipeline._steadiness[1]
    held = filter_._held
    assert camera.look().depth is first
    assert camera.pipeline._steadiness[1] is filter_
    assert filter_._held is held
