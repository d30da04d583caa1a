"""A raw, distorted camera: the node undoes its lens, says so, and goes on without where it cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import Graph, camera_info_of, depth_of, image_of

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 320, 240
SCENE = cv2.GaussianBlur(np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 8) * 3
D = (-0.3, 0.1, 0.001, -0.001, 0.0)
P = [250.0, 0.0, 158.0, 0.0, 0.0, 251.0, 121.0, 0.0, 0.0, 0.0, 1.0, 0.0]
RAW = camera_info_of(WIDTH, HEIGHT, d=D, p=P)
PINHOLE = Intrinsics(WIDTH, HEIGHT, 250.0, 251.0, 158.0, 121.0)
LENS = Lens(Intrinsics(WIDTH, HEIGHT, 262.5, 262.5, 159.5, 119.5), Distortion("plumb_bob", D))


@pytest.fixture(scope="module")
def direct(bundle, module):
    """The same network, without ROS: what the node has to answer."""
    pipeline = Pipeline(open_engine(module), bundle.manifest)

    def run(camera, lens, **settings):
        pipeline.settings = Settings(**settings)
        return pipeline.run(Picture(SCENE, "rgb"), camera, lens=lens).depth.copy()

    return run


def known(graph: Graph) -> None:
    """Let the node know the raw camera."""
    graph.calibrate(RAW)
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK, "fx 250.0", "rectified from plumb_bob")


def test_a_distorted_image_is_answered_through_the_pinhole_of_p(graph: Graph, direct):
    known(graph)
    image = image_of(SCENE, graph.header())
    depth, info, cloud = graph.ask(image, "depth", "camera_info", "cloud")
    np.testing.assert_array_equal(depth_of(depth), direct(PINHOLE, LENS))
    seen = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224).intrinsics(PINHOLE)
    assert (info.distortion_model, list(info.d)) == ("plumb_bob", [0.0] * 5)
    assert [info.k[0], info.k[4], info.k[2], info.k[5]] == pytest.approx([seen.fx, seen.fy, seen.cx, seen.cy])
    assert cloud.header == image.header


def test_depth_in_the_raw_grid_has_the_raw_camera_info(graph: Graph, direct):
    known(graph)
    assert graph.set("output_size", "camera")[0]
    assert graph.set("output_camera", "raw")[0]
    depth, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    np.testing.assert_array_equal(depth_of(depth), direct(PINHOLE, LENS, output_size="camera", output_camera="raw"))
    assert (info.distortion_model, tuple(info.d), list(info.k)) == ("plumb_bob", D, list(RAW.k))
    assert graph.set("output_camera", "rectified")[0]
    depth, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    assert (list(info.d), list(info.p)) == ([0.0] * 5, P)
    assert graph.set("output_size", "native")[0]


def test_rectification_is_turned_off_and_the_view_is_changed_while_it_runs(graph: Graph, direct):
    known(graph)
    assert graph.set("rectify", "off")[0]
    (depth,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    np.testing.assert_array_equal(depth_of(depth), direct(LENS.camera, None))
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "D is not zero", "Set rectify to auto")
    assert graph.set("rectify", "auto")[0]
    assert graph.set("view_fov", 40.0)[0]
    _, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    view = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224)
    focal = WIDTH / 2 / np.tan(np.radians(20.0))
    assert info.k[0] == pytest.approx(focal * 224 / view.width)
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK, "rectified")
    refused, why = graph.set("view_fov", 4.0)
    assert (refused, "10 to 150" in why) == (False, True)
    assert graph.set("view_fov", 0.0)[0]


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"d": [float("nan")] * 5}, "NaN"),
        ({"d": [0.1] * 3}, "D holds 3"),
        ({"distortion_model": "double_sphere"}, "double_sphere"),
        ({"d": [-9.0, 0.0, 0.0, 0.0, 0.0]}, "folds the picture over"),
    ],
)
def test_a_lens_that_cannot_be_undone_is_named_and_depth_goes_on(graph: Graph, direct, wrong, cause):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT, **{"d": D, "p": P, **wrong}))
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "not rectified", cause)
    depth, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    np.testing.assert_array_equal(depth_of(depth), direct(LENS.camera, None))
    assert (list(info.d), info.k[2] != 0) == ([0.0] * 5, True)


def test_a_mask_leaves_the_body_without_depth_and_says_how_much(graph: Graph, direct, tmp_path):
    known(graph)
    assert graph.set("output_size", "camera")[0]
    assert graph.set("output_camera", "raw")[0]
    assert graph.set("mask", "60 150, 200 150, 200 239, 60 239")[0]
    depth, sure = graph.ask(image_of(SCENE, graph.header()), "depth", "uncertainty")
    for each in (depth, sure):
        assert np.isnan(depth_of(each)[150:220, 60:200]).all()
    graph.wait_for(lambda: "masked" in graph.values("inference").get("hidden", ""), "the share that is hidden")
    refused, why = graph.set("mask", "/nowhere.png")
    assert (refused, "No such file" in why) == (False, True)
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((20, 20), np.uint8))
    assert graph.set("mask", str(tmp_path / "mask.png"))[0]
    graph.show(image_of(SCENE, graph.header()))
    words = "20x20 pixels, the picture 320x240"
    graph.wait_for(lambda: words in graph.statuses["input"].message, "the sizes of mask and picture")
    assert graph.set("mask", "none")[0]
    (depth,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    np.testing.assert_array_equal(depth_of(depth), direct(PINHOLE, LENS, output_size="camera", output_camera="raw"))
    assert graph.set("output_size", "native")[0]
    assert graph.set("output_camera", "rectified")[0]


def test_a_turned_camera_is_answered_in_its_own_grid_and_frame(graph: Graph, direct):
    known(graph)
    assert graph.set("rotation", 90)[0]
    assert graph.set("output_size", "camera")[0]
    depth, info = graph.ask(image_of(SCENE, graph.header("side_eye")), "depth", "camera_info")
    assert (depth.width, depth.height, depth.header.frame_id) == (WIDTH, HEIGHT, "side_eye")
    assert list(info.p) == P
    np.testing.assert_array_equal(depth_of(depth), direct(PINHOLE, LENS, output_size="camera", rotation="90"))
    refused, why = graph.set("rotation", 45)
    assert (refused, "0, 90, 180, 270" in why) == (False, True)
    assert graph.set("rotation", 0)[0]
    assert graph.set("output_size", "native")[0]


def test_a_calibration_from_a_file_stands_for_camera_info_and_fits_smaller_pictures(graph: Graph, direct, tmp_path):
    matrix = {"camera_matrix": list(2 * np.array([262.5, 0, 159.75, 0, 262.5, 119.75, 0, 0, 0.5]))}
    lines = ["image_width: 640", "image_height: 480", "distortion_model: plumb_bob"]
    lines += [f"{name}: {{data: {list(map(float, data))}}}" for name, data in matrix.items()]
    lines += [f"distortion_coefficients: {{data: {list(D)}}}"]
    (tmp_path / "front.yaml").write_text("\n".join(lines))
    known(graph)
    assert graph.set("camera_info_url", f"file://{tmp_path}/front.yaml")[0]
    depth, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    np.testing.assert_allclose(depth_of(depth), direct(LENS.camera, LENS), rtol=1e-5)
    view = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224).intrinsics(LENS.camera)
    assert [info.k[0], info.k[2]] == pytest.approx([view.fx, view.cx])
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK, "front.yaml", "rectified from plumb_bob")
    refused, why = graph.set("camera_info_url", "file:///nowhere.yaml")
    assert (refused, "No such file" in why) == (False, True)
    assert graph.set("camera_info_url", "none")[0]
    known(graph)
