"""depth_scale, and who finds it: the service, by a distance or by measured depths, and `fastdepth calibrate`."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from node_graph import Graph, camera_info_of, depth_of, image_of
from nursery import Nursery
from std_srvs.srv import Trigger

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.scale import FEWEST, ScaleFinder
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 320, 240
SCENE = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 20) * 4
CAMERA = Intrinsics(WIDTH, HEIGHT, 262.5, 262.5, 159.5, 119.5)
WIDE = {"min_depth": 0.0, "max_depth": 100.0}


@pytest.fixture(autouse=True)
def as_at_the_start(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    for name, value in {**WIDE, "depth_scale": 1.0, "calibration_distance": 0.0, "calibration_pixel": "none"}.items():
        assert graph.set(name, value) == (True, "")


def middle(graph: Graph, scale: float | None = None) -> float:
    """Depth of the middle of the scene, once the node has taken up a depth_scale."""
    seen: list[float] = []

    def look() -> bool:
        depth = depth_of(graph.ask(image_of(SCENE, graph.header()), "depth")[0])
        seen.append(float(np.median(depth[108:117, 108:117])))
        return scale is None or graph.get("depth_scale") == scale

    graph.wait_for(look, f"depth at the scale {scale}")
    return seen[-1]


def calibrated(graph: Graph) -> Trigger.Response:
    """The service's answer, asked until the node has seen enough."""
    answers: list[Trigger.Response] = []

    def ask() -> bool:
        middle(graph)
        answers.append(graph.call(Trigger, "calibrate_scale", Trigger.Request()))
        return answers[-1].success

    graph.wait_for(ask, "the scale")
    return answers[-1]


def test_depth_scale_is_a_factor_on_what_is_answered(graph: Graph):
    before = middle(graph)
    assert graph.set("depth_scale", 1.5) == (True, "")
    assert middle(graph, 1.5) == pytest.approx(1.5 * before, rel=1e-4)


def test_the_service_finds_the_factor_of_a_distance(graph: Graph):
    before = middle(graph)
    graph.set("depth_scale", 0.7)
    graph.set("calibration_distance", 2 * before)
    answer = calibrated(graph)
    assert f"{2 * before:g} m at the middle" in answer.message
    assert graph.get("depth_scale") == pytest.approx(2.0, rel=1e-3)
    assert middle(graph, graph.get("depth_scale")) == pytest.approx(2 * before, rel=1e-3)


def test_the_service_says_why_it_cannot(graph: Graph):
    answers: list[Trigger.Response] = []

    def ask() -> bool:
        middle(graph)
        answers.append(graph.call(Trigger, "calibrate_scale", Trigger.Request()))
        return "no image was answered" not in answers[-1].message  # of late: this machine may be busy

    graph.wait_for(ask, "an answer")
    assert not answers[-1].success
    assert "nobody says how far" in answers[-1].message
    assert "calibration_distance" in answers[-1].message
    assert graph.get("depth_scale") == 1.0


def test_the_command_has_the_node_calibrate_and_puts_its_parameters_back(graph: Graph, nursery: Nursery):
    before = middle(graph)
    order = [sys.executable, "-m", "fastdepth_ros.cli", "calibrate", "--node", f"{graph.namespace}/fastdepth"]
    order += ["--distance", f"{3 * before:.4f}", "--pixel", "112", "112", "--wait", "120"]
    command = nursery.start(order, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def show() -> bool:
        graph.images.publish(image_of(SCENE, graph.header()))
        graph.spin(0.1)
        return command.poll() is not None

    graph.wait_for(show, "the command", patience=150.0)
    said, wrong = command.communicate()
    assert command.returncode == 0, wrong
    assert "at pixel 112 112" in said
    assert graph.get("depth_scale") == pytest.approx(3.0, rel=0.01)
    assert f"depth_scale: {graph.get('depth_scale'):g}" in said
    assert graph.get("calibration_distance") == 0.0
    assert graph.get("calibration_pixel") == "none"


# Without ROS: the same network, and frames as they come.


@pytest.fixture
def pipeline(bundle, module) -> Pipeline:
    return Pipeline(open_engine(module), bundle.manifest, Parameters(**WIDE).pipeline)


def noted(pipeline: Pipeline, finder: ScaleFinder, parameters: Parameters, times: int = FEWEST, **run) -> np.ndarray:
    pipeline.settings = parameters.pipeline
    for now in range(times):
        frame = pipeline.run(Picture(SCENE, "rgb"), CAMERA, now=now / 10, **run)
        finder.note(frame, parameters, now / 10)
    return frame.depth.copy()


def all_over(depth: np.ndarray, factor: float) -> Anchors:
    x, y = np.meshgrid(np.arange(8, 216, 16), np.arange(8, 216, 16))
    pixels = np.stack((x.ravel(), y.ravel()), axis=1).astype(np.float32)
    depths = (factor * depth[y.ravel(), x.ravel()]).astype(np.float32)
    return Anchors("scan", pixels, depths, np.full(len(depths), 0.02, np.float32))


def test_measured_depths_say_the_factor(pipeline):
    finder, parameters = ScaleFinder(), Parameters(**WIDE, depth_scale=0.5)
    plain = noted(pipeline, finder, parameters)
    noted(pipeline, finder, parameters, anchors=[all_over(plain, 1.2)])
    found = finder.find(parameters, 0.3)
    assert found.scale == pytest.approx(0.6, rel=0.02)
    assert found.by == "scan"
    again = finder.find(Parameters(**WIDE, depth_scale=found.scale), 0.3)
    assert again.scale == found.scale, "asked twice before the next frame"


def test_a_distance_is_not_compared_with_what_measured_depths_corrected(pipeline):
    finder, parameters = ScaleFinder(), Parameters(**WIDE, calibration_distance=2.0)
    plain = noted(pipeline, finder, parameters)
    noted(pipeline, finder, parameters, anchors=[all_over(plain, 1.2)])
    with pytest.raises(SettingError, match="anchoring to off"):
        finder.find(parameters, 0.3)


def test_frames_of_another_pixel_and_of_before_do_not_count(pipeline):
    finder, parameters = ScaleFinder(), Parameters(**WIDE, calibration_distance=2.0)
    noted(pipeline, finder, parameters)
    assert finder.find(parameters, 0.3).scale > 0
    with pytest.raises(SettingError, match="0 frames have a depth for 2 m at pixel 10 20"):
        finder.find(Parameters(**WIDE, calibration_distance=2.0, calibration_pixel="10 20"), 0.3)
    with pytest.raises(SettingError, match="no image was answered"):
        finder.find(parameters, 60.0)


def test_a_distance_in_centimetres_is_doubted(pipeline):
    finder, parameters = ScaleFinder(), Parameters(**WIDE, calibration_distance=100.0)
    plain = noted(pipeline, finder, parameters)
    if 100.0 / plain[112, 112] < 20:
        pytest.skip("these weights answer far")
    with pytest.raises(SettingError, match="in metres"):
        finder.find(parameters, 0.3)


@pytest.mark.parametrize("wrong", ["112", "1 2 3", "-1 5", "a b", "1.5 2", "9999999 1"])
def test_a_pixel_has_a_column_and_a_row(graph: Graph, wrong):
    successful, reason = graph.set("calibration_pixel", wrong)
    assert not successful
    assert "112 112" in reason
