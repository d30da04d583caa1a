"""Anchors on the way of a frame: what the pipeline gives back with them, and what it costs without."""

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import BundleError, SettingError
from fastdepth_ros.network import PRUNED
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

KINECT = Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5)
MANIFEST = Manifest("test", PRUNED)
PICTURE = Picture(np.full((480, 640, 3), 120, np.uint8), "rgb")


class KnownAnswer:
    """An engine that answers with a wall whose right half is farther."""

    def __init__(self):
        self.input = np.zeros((224, 224, 3), np.uint8)
        self.answer = np.full((112, 112), 2.0, np.float32)
        self.answer[:, 56:] = 4.0

    def run(self):
        return self.answer


def points(depth, count=60, source="anchors"):
    """Points all over the picture, all of them ``depth`` times as far as the wall."""
    rng = np.random.default_rng(1)
    pixels = rng.uniform(0, 223, (count, 2)).astype(np.float32)
    wall = np.where(pixels[:, 0] < 111.5, 2.0, 4.0)
    return Anchors(source, pixels, (depth * wall).astype(np.float32), np.full(count, 0.02, np.float32))


def run(pipeline, **arguments):
    return pipeline.run(PICTURE, KINECT, **arguments)


def test_anchors_move_depth_and_cloud():
    plain = run(Pipeline(KnownAnswer(), MANIFEST))
    anchored = run(Pipeline(KnownAnswer(), MANIFEST), anchors=[points(1.2)])
    np.testing.assert_allclose(anchored.depth, 1.2 * plain.depth, rtol=0.02)
    np.testing.assert_allclose(anchored.cloud[..., 2], 1.2 * plain.cloud[..., 2], rtol=0.02)
    assert anchored.anchoring.sources[0].used == 60
    assert "anchor" in anchored.stages


def test_the_scale_is_remembered_while_anchors_pause():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    run(pipeline, anchors=[points(1.3)], now=0.0)
    later = run(pipeline, now=0.1)
    assert later.anchoring.age == pytest.approx(0.1)
    assert later.depth[20, 20] == pytest.approx(2.0 * 1.3, rel=0.05)


def test_what_was_remembered_is_dropped_where_anchoring_is_off():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    run(pipeline, anchors=[points(1.3)])
    assert run(pipeline, anchors=None).depth[20, 20] == 2.0
    assert run(pipeline).depth[20, 20] == 2.0


def test_without_anchors_and_listeners_nothing_is_anchored():
    frame = run(Pipeline(KnownAnswer(), MANIFEST))
    assert frame.anchoring is None
    assert frame.uncertainty is None
    assert "anchor" not in frame.stages


@pytest.mark.parametrize("output_size", ["native", "camera"])
def test_uncertainty_has_the_grid_of_the_depth_image(output_size):
    frame = run(Pipeline(KnownAnswer(), MANIFEST, Settings(output_size)), uncertainty=True)
    assert frame.uncertainty.shape == frame.depth.shape
    assert frame.uncertainty.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(frame.uncertainty), np.isfinite(frame.depth))
    assert np.nanmin(frame.uncertainty) > 0


def test_uncertainty_alone_can_be_wanted():
    frame = run(Pipeline(KnownAnswer(), MANIFEST), depth=False, cloud=False, uncertainty=True)
    assert frame.depth is None
    assert frame.cloud is None
    assert np.isfinite(frame.uncertainty).all()


def test_anchors_make_depth_surer():
    alone = run(Pipeline(KnownAnswer(), MANIFEST), uncertainty=True)
    anchored = run(Pipeline(KnownAnswer(), MANIFEST), anchors=[points(1.0)], uncertainty=True)
    assert np.median(anchored.uncertainty) < 0.7 * np.median(alone.uncertainty)


def test_what_is_less_sure_than_it_may_be_is_no_answer():
    sure = run(Pipeline(KnownAnswer(), MANIFEST), uncertainty=True).uncertainty
    limit = float(np.median(sure))
    frame = run(Pipeline(KnownAnswer(), MANIFEST, Settings(max_uncertainty=limit)), uncertainty=True)
    np.testing.assert_array_equal(np.isnan(frame.depth), sure > limit)
    np.testing.assert_array_equal(np.isnan(frame.cloud[..., 2]), sure > limit)
    np.testing.assert_array_equal(np.isnan(frame.uncertainty), sure > limit)


@pytest.mark.parametrize(("cloud", "columns"), [("xyz", 4), ("xyzrgb", 5)])
def test_points_carry_their_sigma_where_it_is_wanted(cloud, columns):
    pipeline = Pipeline(KnownAnswer(), MANIFEST, Settings(cloud=cloud, cloud_sigma=True))
    frame = run(pipeline, uncertainty=True)
    assert frame.cloud.shape == (224, 224, columns)
    np.testing.assert_array_equal(frame.cloud[..., -1], frame.uncertainty)


def test_the_cloud_changes_its_fields_from_frame_to_frame():
    asked = []

    def allocate(name, shape, dtype, fields):
        asked.append((name, fields))
        return np.zeros(shape, dtype)

    pipeline = Pipeline(KnownAnswer(), MANIFEST, Settings(cloud="xyzrgb"), allocate)
    run(pipeline)
    pipeline.settings = Settings(cloud="xyz", cloud_sigma=True)
    run(pipeline)
    pipeline.settings = Settings(cloud="xyzrgb")
    run(pipeline)
    clouds = [fields for name, fields in asked if name == "cloud"]
    assert clouds == [("x", "y", "z", "rgb"), ("x", "y", "z", "sigma"), ("x", "y", "z", "rgb")]


def test_limits_hold_for_anchored_depth():
    frame = run(Pipeline(KnownAnswer(), MANIFEST, Settings(max_depth=4.2)), anchors=[points(1.2)])
    assert np.isposinf(frame.depth[:, 150:]).all()
    assert np.isfinite(frame.depth[:, :80]).all()


def test_no_answer_stays_no_answer():
    engine = KnownAnswer()
    engine.answer[:10] = 0
    frame = run(Pipeline(engine, MANIFEST), anchors=[points(1.2)], uncertainty=True)
    assert np.isnan(frame.depth[:20]).all()
    assert np.isnan(frame.uncertainty[:20]).all()
    assert np.isfinite(frame.depth[20:]).all()


def test_a_manifest_may_carry_what_is_known_of_the_weights_errors():
    files = {"weights.safetensors": "0" * 64}
    older = Manifest("test", PRUNED, files=files)
    assert Manifest.from_json(older.to_json(), "m").anchoring is None, "as older manifests do not"
    told = Manifest("test", PRUNED, files=files, anchoring={"local": 0.5, "of a later version": 1.0})
    assert Manifest.from_json(told.to_json(), "m").anchoring["local"] == 0.5
    sure, unsure = (run(Pipeline(KnownAnswer(), m), uncertainty=True).uncertainty for m in (MANIFEST, told))
    assert np.median(unsure) > 1.5 * np.median(sure)


@pytest.mark.parametrize("number", [float("nan"), -1.0, 0.0, "0.2", None, True, 1e9])
def test_a_manifest_with_impossible_numbers_is_refused(number):
    with pytest.raises(BundleError, match="local"):
        Pipeline(KnownAnswer(), Manifest("test", PRUNED, anchoring={"local": number}))


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_an_impossible_max_uncertainty_is_refused(wrong):
    with pytest.raises(SettingError, match="max_uncertainty"):
        Settings(max_uncertainty=wrong)


def test_anchors_have_the_last_word_whatever_depth_scale_is():
    scaled = run(Pipeline(KnownAnswer(), MANIFEST, Settings(depth_scale=0.8)), anchors=[points(1.2)])
    assert scaled.depth[20, 20] == pytest.approx(2.0 * 1.2, rel=0.02)


@pytest.mark.parametrize("scale", [0.65, 1.3, 5.0])
def test_what_measured_depths_taught_is_metres_whoever_sets_depth_scale(scale):
    """Anybody may call a service that sets it, and what was learned of the place would be gone each time."""
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    for frame in range(60):
        run(pipeline, anchors=[points(1.3)], now=frame / 30)
    before = run(pipeline, now=2.0, uncertainty=True)
    pipeline.settings = Settings(depth_scale=scale, max_depth=100.0)
    after = run(pipeline, now=2.0, uncertainty=True)
    assert before.depth[20, 20] == pytest.approx(2.0 * 1.3, rel=0.05)
    np.testing.assert_allclose(after.depth, before.depth, rtol=1e-4)
    assert after.anchoring.age == before.anchoring.age
    np.testing.assert_allclose(after.uncertainty, before.uncertainty, rtol=1e-3)


def test_where_nothing_was_measured_depth_scale_has_its_effect_at_once():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    run(pipeline, now=0.0, uncertainty=True)
    pipeline.settings = Settings(depth_scale=1.3)
    assert run(pipeline, now=0.1).depth[20, 20] == pytest.approx(2.0 * 1.3, rel=1e-6)
