"""The way of one frame: limits, sizes and places of the answer, with an engine whose answer is known."""

import gc
import math
import tracemalloc
import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.errors import CalibrationError, ImageError, SettingError
from fastdepth_ros.network import PRUNED
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

KINECT = Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5)
MANIFEST = Manifest("test", PRUNED)


class KnownAnswer:
    """An engine that remembers its input and answers what the test says."""

    def __init__(self, answer=None):
        self.input = np.zeros((224, 224, 3), np.uint8)
        self.answer = np.full((112, 112), 2.0, np.float32) if answer is None else answer
        self.runs = 0

    def run(self):
        self.runs += 1
        return self.answer


def scene(height=480, width=640):
    """A picture whose every pixel is another, smooth enough to be scaled."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack((columns * 255 / width, rows * 255 / height, 128 + 60 * np.sin(columns / 40)), axis=-1)
    return picture.astype(np.uint8)


def grid(values=None):
    """An answer that differs in every cell, from 1 to 5 m."""
    return np.linspace(1, 5, 112 * 112, dtype=np.float32).reshape(112, 112) if values is None else values


def test_every_channel_order_reaches_the_network_as_the_same_rgb():
    rgb = scene()
    pictures = {
        "rgb": rgb,
        "bgr": np.ascontiguousarray(rgb[..., ::-1]),
        "rgba": cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA),
        "bgra": cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA),
    }
    inputs = {}
    for order, pixels in pictures.items():
        engine = KnownAnswer()
        Pipeline(engine, MANIFEST).run(Picture(pixels, order))
        inputs[order] = engine.input.copy()
    expected = cv2.resize(View.of(PAPER_VIEW, 640, 480, 224, 224).cut(rgb), (224, 224))
    for order, pixels in inputs.items():
        np.testing.assert_array_equal(pixels, expected, err_msg=order)


@pytest.mark.parametrize(
    ("width", "height", "reduction"),
    [(320, 240, 1), (640, 480, 2), (1280, 720, 2), (1280, 960, 4), (1920, 1080, 4), (3840, 2160, 8), (3, 2, 1)],
)
def test_pictures_are_reduced_until_the_network_would_miss_pixels(width, height, reduction):
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    assert pipeline.reduction(width, height) == reduction
    pipeline.settings = Settings(output_size="camera", cloud="xyz")
    assert pipeline.reduction(width, height) == reduction
    pipeline.settings = Settings(output_size="camera", cloud="xyzrgb")
    assert pipeline.reduction(width, height) == 1, "a point's colour is that of its own pixel"


@pytest.mark.parametrize(("width", "height", "reduction"), [(640, 480, 2), (751, 481, 2), (1281, 965, 4)])
def test_a_reduced_picture_shows_things_where_its_camera_says(width, height, reduction):
    """A picture whose colours are its coordinates: what the network sees there is held against the geometry."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    colours = np.stack((columns / width, rows / height, columns * 0), axis=-1) * 255
    fewer = (-(-height // reduction), -(-width // reduction))
    padded = np.pad(colours, ((0, -height % reduction), (0, -width % reduction), (0, 0)), mode="edge")
    means = padded.reshape(fewer[0], reduction, fewer[1], reduction, 3).mean(axis=(1, 3))
    engine = KnownAnswer()
    camera = Intrinsics(width, height, 500.0, 510.0, width / 2, height / 2)
    picture = Picture(np.rint(means).astype(np.uint8), "rgb", reduction, (width, height))
    frame = Pipeline(engine, MANIFEST).run(picture, camera)
    seen = frame.intrinsics
    for u, v in ((20, 30), (112, 112), (200, 190)):
        ray = ((u - seen.cx) / seen.fx, (v - seen.cy) / seen.fy)
        place = (ray[0] * camera.fx + camera.cx, ray[1] * camera.fy + camera.cy)
        expected = (place[0] / width * 255, place[1] / height * 255)
        np.testing.assert_allclose(engine.input[v, u, :2], expected, atol=1.5)


def test_a_reduced_picture_fills_the_cameras_own_grid():
    picture = Picture(scene(240, 320), "rgb", 2, (640, 480))
    frame = Pipeline(KnownAnswer(), MANIFEST, Settings(output_size="camera", cloud="xyz")).run(picture, KINECT)
    view = View.of(PAPER_VIEW, 640, 480, 224, 224, reduction=2)
    assert frame.depth.shape == (480, 640)
    assert np.isfinite(frame.depth).sum() == view.width * view.height
    assert np.isfinite(view.cut(frame.depth)).all()
    assert frame.cloud.shape == (480, 640, 3)


def test_a_reduced_picture_that_cannot_be_is_refused():
    with pytest.raises(ImageError, match="640x480 picture reduced 2 times is no 300x240"):
        Pipeline(KnownAnswer(), MANIFEST).run(Picture(scene(240, 300), "rgb", 2, (640, 480)))
    settings = Settings(output_size="camera", cloud="xyzrgb")
    with pytest.raises(ImageError, match="lacks the colours"):
        Pipeline(KnownAnswer(), MANIFEST, settings).run(Picture(scene(240, 320), "rgb", 2, (640, 480)), KINECT)


def test_a_grey_picture_reaches_the_network_as_grey():
    engine = KnownAnswer()
    Pipeline(engine, MANIFEST).run(Picture(scene()[..., 0].copy(), "grey"))
    assert np.ptp(engine.input, axis=2).max() == 0
    assert engine.input.std() > 10


def test_padded_rows_are_read_without_a_copy_and_give_the_same_input():
    padded = np.zeros((480, 700, 3), np.uint8)
    padded[:, :640] = scene()
    plain, strided = KnownAnswer(), KnownAnswer()
    Pipeline(plain, MANIFEST).run(Picture(scene(), "rgb"))
    Pipeline(strided, MANIFEST).run(Picture(padded[:, :640], "rgb"))
    np.testing.assert_array_equal(plain.input, strided.input)


def test_native_depth_repeats_each_cell_of_the_network():
    frame = Pipeline(KnownAnswer(grid()), MANIFEST).run(Picture(scene(), "rgb"), KINECT)
    assert frame.depth.shape == (224, 224)
    np.testing.assert_array_equal(frame.depth, np.repeat(np.repeat(grid(), 2, 0), 2, 1))
    assert frame.intrinsics == View.of(PAPER_VIEW, 640, 480, 224, 224).intrinsics(KINECT)


def test_camera_depth_lies_where_the_network_looked_and_is_nan_elsewhere():
    frame = Pipeline(KnownAnswer(grid()), MANIFEST, Settings(output_size="camera")).run(Picture(scene(), "rgb"), KINECT)
    assert frame.depth.shape == (480, 640)
    assert frame.intrinsics == KINECT
    view = View.of(PAPER_VIEW, 640, 480, 224, 224)
    inside = np.zeros((480, 640), bool)
    inside[view.y : view.y + view.height, view.x : view.x + view.width] = True
    assert np.isnan(frame.depth[~inside]).all()
    assert np.isfinite(frame.depth[inside]).all()
    # Pixel (u, v) shows the cell that its centre falls into.
    for v, u in [(21, 28), (240, 320), (458, 611), (100, 500)]:
        cell = int((v - view.y + 0.5) * 112 / view.height), int((u - view.x + 0.5) * 112 / view.width)
        assert frame.depth[v, u] == grid()[cell]


def test_camera_depth_forgets_the_view_of_an_earlier_picture_size():
    pipeline = Pipeline(KnownAnswer(), MANIFEST, Settings(output_size="camera"))
    pipeline.run(Picture(scene(480, 640), "rgb"))
    wide = pipeline.run(Picture(scene(360, 640), "rgb")).depth
    assert wide.shape == (360, 640)
    assert np.isfinite(wide).sum() == np.prod(View.of(PAPER_VIEW, 640, 360, 224, 224).cut(wide).shape)


def test_limits_follow_rep_117():
    answer = np.full((112, 112), 2.0, np.float32)
    answer[0, :4] = [0.0, 0.3, 9.0, np.nan]
    settings = Settings(min_depth=0.5, max_depth=5.0)
    depth = Pipeline(KnownAnswer(answer), MANIFEST, settings).run(Picture(scene(), "rgb")).depth
    assert math.isnan(depth[0, 0])
    assert depth[0, 2] == -math.inf
    assert depth[0, 4] == math.inf
    assert math.isnan(depth[0, 6])
    assert depth[0, 8] == 2.0


@pytest.mark.parametrize(
    ("value", "marked"),
    [(0.5, 0.5), (0.49999997, -math.inf), (5.0, 5.0), (5.0000005, math.inf), (0.0, math.nan), (math.nan, math.nan)],
)
@pytest.mark.parametrize("min_depth", [0.5, 0.0])
def test_a_single_answer_at_a_limit_is_marked_as_it_should(value, marked, min_depth):
    answer = np.full((112, 112), 2.0, np.float32)
    answer[50, 60] = value
    settings = Settings(min_depth=min_depth, max_depth=5.0)
    depth = Pipeline(KnownAnswer(answer), MANIFEST, settings).run(Picture(scene(), "rgb")).depth
    wanted = np.float32(value) if marked == -math.inf and min_depth == 0 else np.float32(marked)
    np.testing.assert_array_equal(depth[100:102, 120:122], wanted)
    assert (depth == 2.0).sum() == depth.size - 4


def test_millimetres_are_rounded_and_zero_where_there_is_no_depth():
    answer = np.full((112, 112), 2.0006, np.float32)
    answer[0, :3] = [0.0, 0.05, 99.0]
    settings = Settings(depth_encoding="16UC1", max_depth=80.0)
    depth = Pipeline(KnownAnswer(answer), MANIFEST, settings).run(Picture(scene(), "rgb")).depth
    assert depth.dtype == np.uint16
    assert depth[0, 0:8:2].tolist() == [0, 0, 0, 2001]


def test_millimetres_beyond_sixteen_bits_are_no_depth():
    settings = Settings(depth_encoding="16UC1", max_depth=100.0)
    answer = np.full((112, 112), 70.0, np.float32)
    assert not Pipeline(KnownAnswer(answer), MANIFEST, settings).run(Picture(scene(), "rgb")).depth.any()


@pytest.mark.parametrize("output_size", ["native", "camera"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_the_clouds_points_project_back_onto_the_depth_images_pixels(output_size, stride, encoding):
    settings = Settings(output_size=output_size, cloud="xyz", cloud_stride=stride, depth_encoding=encoding)
    frame = Pipeline(KnownAnswer(grid()), MANIFEST, settings).run(Picture(scene(), "rgb"), KINECT)
    rows, columns = np.mgrid[0 : frame.depth.shape[0] : stride, 0 : frame.depth.shape[1] : stride]
    assert frame.cloud.shape == (*rows.shape, 3)
    there = np.isfinite(frame.cloud[..., 2])
    assert there.any()
    pixels = frame.intrinsics.project(frame.cloud[there].astype(np.float64))
    np.testing.assert_allclose(pixels, np.stack((columns, rows), axis=-1)[there], atol=0.01)
    metres = frame.depth[::stride, ::stride][there] / (1000 if encoding == "16UC1" else 1)
    np.testing.assert_allclose(frame.cloud[there][:, 2], metres, atol=0.0006 if encoding == "16UC1" else 0)


@pytest.mark.parametrize("value", [0.01, 99.0, 0.0, math.nan, -1.0])
def test_one_depth_that_is_none_in_a_whole_picture_is_no_point(value):
    answer = grid().copy()
    pipeline = Pipeline(KnownAnswer(answer), MANIFEST, Settings(cloud="xyzrgb"))
    for each in (2.0, value, 2.0):  # before and after it, all are depths
        answer[20, 30] = each
        frame = pipeline.run(Picture(scene(), "rgb"), KINECT)
        assert np.isfinite(frame.depth).all() == (each == 2.0)
        np.testing.assert_array_equal(np.isfinite(frame.cloud[..., :3]).all(axis=2), np.isfinite(frame.depth))
        np.testing.assert_array_equal(np.isnan(frame.cloud[..., :3]).all(axis=2), ~np.isfinite(frame.depth))


@pytest.mark.parametrize("changes", [{"edges": "remove"}, {"edges": "guided"}, {"output_size": "camera"}])
def test_points_are_where_depth_is_whatever_takes_it_out(changes):
    answer = grid().copy()
    answer[:, 56:] += 4.0  # an edge, beside which something flies
    pipeline = Pipeline(KnownAnswer(answer), MANIFEST, Settings(cloud="xyz", **changes))
    frame = pipeline.run(Picture(scene(), "rgb"), KINECT)
    np.testing.assert_array_equal(np.isfinite(frame.cloud).all(axis=2), np.isfinite(frame.depth))


def test_points_without_depth_are_nan_in_every_coordinate():
    answer = np.full((112, 112), 2.0, np.float32)
    answer[0, :3] = [0.0, 0.01, 99.0]
    cloud = Pipeline(KnownAnswer(answer), MANIFEST).run(Picture(scene(), "rgb"), KINECT).cloud
    assert np.isnan(cloud[0, :6]).all()
    assert np.isfinite(cloud[0, 6:]).all()


@pytest.mark.parametrize(("output_size", "order"), [("native", "bgr"), ("camera", "bgr"), ("camera", "rgb")])
def test_each_point_has_the_colour_of_its_pixel(output_size, order):
    rgb = scene()
    pixels = rgb if order == "rgb" else np.ascontiguousarray(rgb[..., ::-1])
    engine = KnownAnswer()
    settings = Settings(output_size=output_size, cloud="xyzrgb")
    cloud = Pipeline(engine, MANIFEST, settings).run(Picture(pixels, order), KINECT).cloud
    expected = engine.input if output_size == "native" else rgb
    packed = np.ascontiguousarray(cloud[..., 3]).view(np.uint32)
    np.testing.assert_array_equal(packed >> 16 & 255, expected[..., 0])
    np.testing.assert_array_equal(packed >> 8 & 255, expected[..., 1])
    np.testing.assert_array_equal(packed & 255, expected[..., 2])


def test_a_longer_lens_than_in_training_makes_things_farther():
    manifest = Manifest("test", PRUNED, training_focal=(201.37, 268.49))
    tele = Intrinsics(640, 480, 1050.0, 1050.0, 319.5, 239.5)
    near = Pipeline(KnownAnswer(), manifest).run(Picture(scene(), "rgb"), KINECT).depth[0, 0]
    far = Pipeline(KnownAnswer(), manifest).run(Picture(scene(), "rgb"), tele).depth[0, 0]
    unknown = Pipeline(KnownAnswer(), manifest).run(Picture(scene(), "rgb")).depth[0, 0]
    assert near == pytest.approx(2.0, rel=1e-4)
    assert far == pytest.approx(4.0, rel=1e-4)
    assert unknown == 2.0
    doubted = replace(tele, doubt="no lens has these numbers")
    assert Pipeline(KnownAnswer(), manifest).run(Picture(scene(), "rgb"), doubted).depth[0, 0] == 2.0


def test_without_a_camera_there_is_depth_but_no_cloud():
    frame = Pipeline(KnownAnswer(), MANIFEST).run(Picture(scene(), "rgb"))
    assert frame.depth is not None
    assert frame.cloud is None
    assert frame.intrinsics is None
    assert set(frame.stages) == {"prepare", "infer", "depth"}


def test_nothing_is_computed_for_what_nobody_wants():
    engine = KnownAnswer()
    pipeline = Pipeline(engine, MANIFEST)
    frame = pipeline.run(Picture(scene(), "rgb"), KINECT, depth=False, cloud=False)
    assert (engine.runs, frame.depth, frame.cloud, frame.stages) == (0, None, None, {})
    assert pipeline.run(Picture(scene(), "rgb"), KINECT, cloud=False).cloud is None
    assert pipeline.run(Picture(scene(), "rgb"), KINECT, depth=False).depth is None


def test_buffers_are_made_once_and_only_depth_and_cloud_are_asked_for():
    made = []

    def allocate(name, shape, dtype, fields):
        made.append((name, shape, np.dtype(dtype).name, fields))
        return np.zeros(shape, dtype)

    pipeline = Pipeline(KnownAnswer(), MANIFEST, Settings(cloud="xyzrgb"), allocate)
    first = pipeline.run(Picture(scene(), "bgr"), KINECT)
    for _ in range(3):
        again = pipeline.run(Picture(scene(), "bgr"), KINECT)
    points = ("cloud", (224, 224, 4), "float32", ("x", "y", "z", "rgb"))
    assert made == [("depth", (224, 224), "float32", ()), points]
    assert again.depth is first.depth
    assert again.cloud is first.cloud


def test_settings_change_between_frames():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    assert pipeline.run(Picture(scene(), "rgb"), KINECT).depth.dtype == np.float32
    pipeline.settings = Settings(depth_encoding="16UC1", output_size="camera", cloud_stride=4)
    frame = pipeline.run(Picture(scene(), "rgb"), KINECT)
    assert (frame.depth.dtype, frame.depth.shape) == (np.uint16, (480, 640))
    assert frame.cloud.shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"output_size": "huge"}, "native, camera"),
        ({"depth_encoding": "64F"}, "32FC1, 16UC1"),
        ({"cloud": "rgb"}, "off, xyz, xyzrgb"),
        ({"cloud_stride": 0}, "from 1 to 64"),
        ({"min_depth": 3.0, "max_depth": 2.0}, "min_depth < max_depth"),
        ({"max_depth": math.nan}, "from 0 to 100"),
    ],
)
def test_settings_outside_their_range_are_refused_with_what_is_allowed(wrong, says):
    with pytest.raises(SettingError, match=says):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("pixels", "order"),
    [
        (np.zeros((480, 640, 4), np.uint8), "rgb"),
        (np.zeros((480, 640), np.uint8), "rgb"),
        (np.zeros((480, 640, 3), np.uint16), "rgb"),
        (np.zeros((480, 640, 3), np.uint8), "grey"),
        (np.zeros((1, 640, 3), np.uint8), "rgb"),
        (np.zeros((480, 640, 3), np.uint8), "lab"),
    ],
)
def test_a_picture_that_is_none_is_refused(pixels, order):
    with pytest.raises(ImageError):
        Pipeline(KnownAnswer(), MANIFEST).run(Picture(pixels, order))


def test_a_picture_that_is_none_is_refused_after_good_ones_of_its_shape():
    pipeline, good = Pipeline(KnownAnswer(), MANIFEST), Picture(scene(), "rgb")
    for wrong in (
        Picture(scene().astype(np.float32), "rgb"),
        Picture(good.pixels, "rgba"),
        Picture(good.pixels, "yuv"),
        Picture(good.pixels, "rgb", 2, (640, 480)),
        Picture(good.pixels, "rgb", 1, (320, 240)),
    ):
        pipeline.run(good, KINECT)
        with pytest.raises(ImageError):
            pipeline.run(wrong, KINECT)
    with pytest.raises(CalibrationError):
        pipeline.run(good, Intrinsics(320, 240, 525.0, 525.0, 159.5, 119.5))


def test_a_camera_of_another_size_is_refused():
    with pytest.raises(CalibrationError, match="320x240"):
        Pipeline(KnownAnswer(), MANIFEST).run(Picture(scene(), "rgb"), KINECT.scale(320, 240))


@pytest.mark.parametrize("output_size", ["native", "camera"])
@pytest.mark.parametrize("depth_encoding", ["32FC1", "16UC1"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_no_frame_allocates_in_proportion_to_the_picture(output_size, depth_encoding, order):
    def peak(height, width):
        """Most bytes at a time that a frame allocates beyond what the first ones made."""
        camera = Intrinsics(width, height, height * 1.1, height * 1.1, (width - 1) / 2, (height - 1) / 2)
        pipeline = Pipeline(KnownAnswer(grid()), MANIFEST, Settings(output_size, depth_encoding, "xyzrgb"))
        picture = Picture(scene(height, width), order)
        pipeline.run(picture, camera)
        tracemalloc.start()
        pipeline.run(picture, camera)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # A map of a bit per pixel of the larger picture would be 260 kB; what differs is a few Python numbers.
    assert peak(1080, 1920) < peak(480, 640) + 10_000


def test_a_pipeline_that_is_given_up_leaves_at_once():
    pipeline = Pipeline(KnownAnswer(), MANIFEST)
    pipeline.reduction(1280, 960)
    pipeline.run(Picture(scene(), "rgb"), KINECT)
    gone = weakref.ref(pipeline)
    gc.disable()
    try:
        del pipeline
        assert gone() is None, "a circle keeps its buffers"
    finally:
        gc.enable()


@pytest.mark.parametrize("output_size", ["native", "camera"])
def test_cells_are_the_answer_itself_with_its_limits_and_its_view(output_size):
    answer = grid()
    answer[0, :4] = (0.0, 0.05, 20.0, 2.0)
    pipeline = Pipeline(KnownAnswer(answer), MANIFEST, Settings(output_size=output_size))
    frame = pipeline.run(Picture(scene(), "rgb"), KINECT, depth=False, cloud=False, cells=True)
    assert frame.depth is None
    assert frame.cloud is None
    view = View.of(PAPER_VIEW, 640, 480, 224, 224)
    assert (frame.cells.view, frame.cells.seen) == (view, view.intrinsics(KINECT))
    ratio = frame.cells.metres[5, 5] / answer[5, 5]
    np.testing.assert_array_equal(frame.cells.metres[0, :4], [np.nan, -np.inf, np.inf, np.float32(2.0 * ratio)])
    assert pipeline.run(Picture(scene(), "rgb"), KINECT).cells is None


def test_who_looks_sees_the_network_s_input_and_may_refuse_it():
    engine, seen = KnownAnswer(), []
    pipeline = Pipeline(engine, MANIFEST)

    def look(picture):
        seen.append(picture.pixels.copy())
        return len(seen) > 1

    refused = pipeline.run(Picture(scene(), "rgb"), KINECT, look=look)
    assert refused.refused
    assert refused.depth is None
    assert refused.cloud is None
    assert engine.runs == 0
    answered = pipeline.run(Picture(scene(), "rgb"), KINECT, look=look)
    assert not answered.refused
    assert answered.depth is not None
    assert engine.runs == 1
    np.testing.assert_array_equal(seen[0], engine.input)
    assert "look" in answered.stages
    assert "look" not in pipeline.run(Picture(scene(), "rgb"), KINECT).stages


@pytest.mark.parametrize("cloud", [True, False])
def test_depth_is_handed_over_before_its_points_are_made(cloud):
    pipeline = Pipeline(KnownAnswer(grid()), MANIFEST, Settings(cloud="xyz"))
    pipeline.run(Picture(scene(), "rgb"), KINECT).cloud[:] = -7.0
    handed = []

    def ahead(frame):
        assert pipeline._buffers.of("cloud", (224, 224, 3), np.float32, ("x", "y", "z"))[0, 0, 0] == -7.0
        handed.append((frame.depth.copy(), frame.cloud, frame.intrinsics))

    frame = pipeline.run(Picture(scene(), "rgb"), KINECT, cloud=cloud, ahead=ahead)
    assert len(handed) == cloud, "who wants no points waits for nothing"
    for depth, points, intrinsics in handed:
        np.testing.assert_array_equal(depth, frame.depth)
        assert points is None
        assert intrinsics == frame.intrinsics
        np.testing.assert_array_equal(frame.cloud[..., 2], depth)


def test_depth_scale_multiplies_depth_points_and_uncertainty():
    plain, scaled = (
        Pipeline(KnownAnswer(grid()), MANIFEST, Settings(max_depth=100.0, depth_scale=scale)).run(
            Picture(scene(), "rgb"), KINECT, uncertainty=True
        )
        for scale in (1.0, 1.5)
    )
    np.testing.assert_allclose(scaled.depth, 1.5 * plain.depth, rtol=1e-6)
    np.testing.assert_allclose(scaled.cloud, 1.5 * plain.cloud, rtol=1e-5)
    np.testing.assert_allclose(scaled.uncertainty, 1.5 * plain.uncertainty, rtol=0.05)


def test_depth_scale_comes_before_the_limits():
    frame = Pipeline(KnownAnswer(), MANIFEST, Settings(max_depth=3.0, depth_scale=2.0)).run(
        Picture(scene(), "rgb"), KINECT
    )
    assert np.isposinf(frame.depth).all()
