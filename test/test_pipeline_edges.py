"""Edges in the way of a frame: what flies has no depth, in every output; or depth takes the picture's edges."""

import numpy as np
import pytest
from test_pipeline import KINECT, MANIFEST, KnownAnswer, scene

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import ImageError
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings


def step():
    """A thing at 1.5 m in front of a wall at 3 m, blurred over four cells."""
    share = np.clip((np.arange(112, dtype=np.float32) - 56) / 4 + 0.5, 0, 1)
    return np.repeat((1.5 + 1.5 * share)[None], 112, 0).astype(np.float32)


def run(settings, picture=None, answer=None, **arguments):
    pipeline = Pipeline(KnownAnswer(step() if answer is None else answer), MANIFEST, settings)
    frame = pipeline.run(Picture(scene() if picture is None else picture, "rgb"), KINECT, **arguments)
    return pipeline, frame


@pytest.mark.parametrize("output_size", ["native", "camera"])
def test_what_flies_has_no_depth_and_no_point(output_size):
    _, kept = run(Settings(output_size=output_size))
    pipeline, frame = run(Settings(output_size=output_size, edges="remove"), uncertainty=True, cells=True)
    gone = np.isnan(frame.depth) & ~np.isnan(kept.depth)
    assert gone.any()
    np.testing.assert_array_equal(frame.depth[~gone], kept.depth[~gone])
    middle = slice(None), slice(frame.depth.shape[1] // 2 - 1, frame.depth.shape[1] // 2 + 1)
    assert gone[40:-40][middle].all(), "the middle of the edge"
    assert np.isnan(frame.cloud[..., 2][gone]).all()
    assert np.isnan(frame.uncertainty[gone]).all()
    assert np.isnan(frame.cells.metres[:, 56]).all()
    assert pipeline.removed == pytest.approx(np.isnan(frame.cells.metres).mean())
    assert 0.01 < pipeline.removed < 0.06
    assert "edges" in frame.stages


def test_what_flies_is_unknown_in_millimetres():
    _, frame = run(Settings(edges="remove", depth_encoding="16UC1"))
    assert (frame.depth[:, 112] == 0).all()
    assert (frame.depth[:, 20] > 0).all()


def test_limits_hold_beside_what_flies():
    answer = step()
    answer[:10], answer[10:20], answer[20:30] = 0.0, 50.0, 0.01
    _, frame = run(Settings(edges="remove"), answer=answer)
    assert np.isnan(frame.depth[:18]).all()
    assert np.isposinf(frame.depth[24:36, :80]).all()
    assert np.isneginf(frame.depth[44:56, :80]).all()


def test_a_kept_frame_has_no_stage_for_edges():
    _, frame = run(Settings())
    assert "edges" not in frame.stages


def two_sides():
    """A dark half and a bright one; the edge between them is in the middle of the network's view."""
    picture = np.full((480, 640, 3), 190, np.uint8)
    picture[:, :321] = 60
    return picture


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_guided_depth_has_the_picture_s_edge_within_a_cell(encoding):
    answer = np.full((112, 112), 3.0, np.float32)
    answer[:, :56] = 1.5
    answer[:, 56] = 2.4  # a cell that both sides fill
    _, kept = run(Settings("camera", encoding), two_sides(), answer)
    _, frame = run(Settings("camera", encoding, edges="guided"), two_sides(), answer)
    ratio = float(kept.depth[240, 100]) / 1.5
    row, before = (each.depth[240, 310:332].astype(float) / ratio for each in (frame, kept))
    assert np.abs(np.diff(row)).max() > np.abs(np.diff(before)).max()
    assert np.abs(np.diff(row)).argmax() == 10, "between pixels 320 and 321"
    outside = ~(kept.depth > 0)
    np.testing.assert_array_equal(frame.depth[outside], kept.depth[outside])


@pytest.mark.parametrize("order", ["rgb", "bgr", "rgba", "bgra", "grey"])
def test_pictures_of_every_order_guide_alike(order):
    pixels = {
        "rgb": two_sides(),
        "bgr": two_sides(),
        "rgba": np.dstack((two_sides(), two_sides()[..., :1])),
        "bgra": np.dstack((two_sides(), two_sides()[..., :1])),
        "grey": two_sides()[..., 0].copy(),
    }[order]
    depths = []
    for given in (Picture(two_sides(), "rgb"), Picture(pixels, order)):
        pipeline = Pipeline(KnownAnswer(step()), MANIFEST, Settings("camera", edges="guided"))
        depths.append(pipeline.run(given, KINECT).depth.copy())
    np.testing.assert_allclose(depths[1], depths[0], rtol=1e-3)


def test_native_depth_is_guided_by_what_the_network_sees():
    _, kept = run(Settings(), two_sides())
    _, frame = run(Settings(edges="guided"), two_sides())
    assert frame.depth.shape == (224, 224)
    assert not np.array_equal(frame.depth, kept.depth)
    np.testing.assert_allclose(frame.depth[:, :90], kept.depth[:, :90], rtol=1e-3)


def test_guided_depth_wants_every_pixel():
    pipeline = Pipeline(KnownAnswer(step()), MANIFEST, Settings("camera", cloud="xyz", edges="guided"))
    assert pipeline.reduction(640, 480) == 1
    reduced = Picture(scene(240, 320), "rgb", 2, (640, 480))
    with pytest.raises(ImageError, match="reduced picture"):
        pipeline.run(reduced, KINECT)
    pipeline.settings = Settings(cloud="xyz", edges="guided")
    assert pipeline.reduction(640, 480) == 2
    assert pipeline.run(reduced, KINECT).depth.shape == (224, 224)


def test_a_distorted_picture_guides_depth_in_the_rectified_grid_and_not_in_its_own():
    lens = Lens(Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5), Distortion("plumb_bob", (-0.2, 0.05, 0.0, 0.0, 0.0)))
    for camera, changed in (("rectified", True), ("raw", False)):
        _, kept = run(Settings("camera", output_camera=camera), two_sides(), lens=lens)
        _, frame = run(Settings("camera", output_camera=camera, edges="guided"), two_sides(), lens=lens)
        assert np.array_equal(frame.depth, kept.depth, True) != changed
