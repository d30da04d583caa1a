"""Several cameras of one node: each is answered as if it were alone, none is held up by another."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from anchor_messages import cloud_of
from camera_graph import AGAIN, Camera, ask
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_graph import PATIENCE, Graph, camera_info_of, depth_of, image_of
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import Trigger

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.mask import parse_mask
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 320, 240
noise = np.random.default_rng(9).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
FRONT, REAR = (np.ascontiguousarray(cv2.GaussianBlur(each, (0, 0), 9) * 3) for each in noise)
FOCAL = {"front": 260.0, "rear": 420.0}
MASK = "60 150, 200 150, 200 239, 60 239"
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@pytest.fixture(scope="module")
def direct(bundle, module):
    """The same network, without ROS and for one picture alone: what the node has to answer."""

    def run(pixels, focal=0.0, mask="", **settings):
        pipeline = Pipeline(open_engine(module), bundle.manifest, Settings(**settings))
        pipeline.mask = parse_mask(mask) if mask else None
        camera = Intrinsics(WIDTH, HEIGHT, focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2) if focal else None
        return pipeline.run(Picture(pixels, "rgb"), camera).depth.copy()

    return run


@pytest.fixture(scope="module")
def graph(start) -> Graph:
    """One node of two cameras for the whole module."""
    return start(cameras="[front, rear]")


@pytest.fixture(scope="module")
def front(graph: Graph) -> Camera:
    return Camera(graph, "front", "depth", "camera_info")


@pytest.fixture(scope="module")
def rear(graph: Graph) -> Camera:
    return Camera(graph, "rear", "depth", "camera_info")


@pytest.fixture
def calibrated(front: Camera, rear: Camera) -> list[Camera]:
    for camera in (front, rear):
        camera.calibrate(camera_info_of(WIDTH, HEIGHT, FOCAL[camera.name]))
    return [front, rear]


def look(front: Camera, rear: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth of both cameras' pictures, published at the same time."""
    answers = ask([(each, image_of(p, each.graph.header(each.name))) for each, p in ((front, FRONT), (rear, REAR))])
    return depth_of(answers[0][0]), depth_of(answers[1][0])


def test_each_camera_is_answered_under_its_own_stamp_frame_and_calibration(graph, direct, calibrated):
    for turn in range(3):
        images = [
            image_of(p, graph.header(f"{c.name}_eye_{turn}")) for c, p in zip(calibrated, (FRONT, REAR), strict=True)
        ]
        answers = ask(list(zip(calibrated, images, strict=True)))
        for camera, image, pixels, (depth, info) in zip(calibrated, images, (FRONT, REAR), answers, strict=True):
            focal = FOCAL[camera.name]
            assert depth.header == info.header == image.header
            np.testing.assert_array_equal(depth_of(depth), direct(pixels, focal))
            pinhole = Intrinsics(WIDTH, HEIGHT, focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
            seen = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224).intrinsics(pinhole)
            assert info.k[0] == pytest.approx(seen.fx)
    graph.wait_until_it_says("front calibration", OK, "fx 260.0")
    graph.wait_until_it_says("rear calibration", OK, "fx 420.0")


def test_every_status_of_a_camera_is_called_by_its_name(graph, calibrated):
    look(*calibrated)
    parts = ("input", "calibration", "inference", "outputs", "anchoring")
    of_cameras = {f"{camera} {part}" for camera in ("front", "rear") for part in parts}
    assert set(graph.statuses) == {"node", "budget", "power", "board", *of_cameras}
    said = graph.values("front outputs")
    assert int(said[f"subscribers of {graph.namespace}/front/depth/image_rect"]) == 1
    assert graph.values("rear input")["topic"] == f"{graph.namespace}/rear/image_raw"


def test_figures_of_each_camera_are_there_to_be_plotted(graph, calibrated):
    found: dict[str, str] = {}

    def hear(message: DiagnosticArray) -> None:
        found.update((pair.key, pair.value) for status in message.status for pair in status.values)

    reader = graph.node.create_subscription(DiagnosticArray, "fastdepth/performance", hear, 5)
    wanted = {f"{camera}.{figure}" for camera in ("front", "rear") for figure in ("rate_in", "rate_out", "age_p95")}

    def told() -> bool:
        look(*calibrated)
        return {*wanted, "rate_in", "age_p95"} <= set(found)

    graph.wait_for(told, "figures of both cameras", 2 * PATIENCE)
    graph.node.destroy_subscription(reader)
    assert float(found["rate_in"]) >= float(found["front.rate_in"])


def test_a_camera_without_a_value_of_its_own_has_the_plain_one(graph, direct, calibrated):
    front, rear = calibrated
    assert graph.set("front.output_size", "camera")[0]
    assert graph.set("rear.rotation", 180)[0]
    depths = look(front, rear)
    assert [depth.shape for depth in depths] == [(HEIGHT, WIDTH), (224, 224)]
    turned = direct(REAR, FOCAL["rear"], rotation="180")
    np.testing.assert_array_equal(depths[1], turned)

    # The plain one changes: whoever has none of its own follows.
    assert graph.set("output_size", "camera")[0]
    assert graph.get("rear.output_size") == "camera"
    assert [depth.shape for depth in look(front, rear)] == [(HEIGHT, WIDTH)] * 2
    assert graph.set("output_size", "native")[0]
    assert [graph.get(f"{each}output_size") for each in ("", "front.", "rear.")] == ["native", "camera", "native"]
    assert [depth.shape for depth in look(front, rear)] == [(HEIGHT, WIDTH), (224, 224)]

    # An own value is given back: `ros2 param delete`.
    assert graph.set("front.output_size", None)[0]
    assert graph.get("front.output_size") == "native"
    assert graph.set("rear.rotation", None)[0]
    assert [depth.shape for depth in look(front, rear)] == [(224, 224)] * 2


def test_each_camera_has_its_own_mask(graph, direct, calibrated):
    assert graph.set("front.mask", MASK)[0]
    try:
        first, second = look(*calibrated)
        np.testing.assert_array_equal(first, direct(FRONT, FOCAL["front"], MASK))
        assert np.isnan(first).any()
        np.testing.assert_array_equal(second, direct(REAR, FOCAL["rear"]))
    finally:
        assert graph.set("front.mask", "none")[0]


def test_each_camera_has_its_own_factor_on_depth(graph, calibrated):
    assert graph.set("front.calibration_distance", 2.0)[0]

    def found() -> bool:
        look(*calibrated)
        return bool(graph.call(Trigger, "front/calibrate_scale", Trigger.Request()).success)

    graph.wait_for(found, "a factor for one camera", 2 * PATIENCE)
    assert graph.get("front.depth_scale") != 1.0
    assert graph.get("rear.depth_scale") == graph.get("depth_scale") == 1.0
    for name in ("front.calibration_distance", "front.depth_scale"):
        assert graph.set(name, None)[0]
    assert graph.get("front.depth_scale") == 1.0


def test_each_camera_has_its_own_rate(graph, calibrated):
    assert graph.set("max_rate", 20)[0]
    assert graph.set("rear.max_rate", 4)[0]

    def shown() -> bool:
        rates = [camera.values("inference").get("max_rate [Hz]") for camera in calibrated]
        return rates == ["20", "4"] and graph.values("budget").get("rate at most [Hz]") == "24.0"

    graph.wait_for(shown, "the limits of both, and of the node")
    assert graph.set("rear.max_rate", None)[0]
    assert graph.set("max_rate", 0)[0]
    graph.wait_for(lambda: calibrated[1].values("inference").get("max_rate [Hz]") == "0", "no limit")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("front.mask", "/nowhere.png", ["front", "No such file"]),
        ("front.max_rate", -1.0, ["front", "max_rate", "1000"]),
        ("front.min_depth", 50.0, ["front: min_depth is 50 m", "min_depth < max_depth"]),
        ("front.image_transport", "compressed", ["front.image_transport changes while the node is not active"]),
        ("cameras", "left", ["cameras changes while the node is unconfigured"]),
        ("cameras", "left,../x", ["no name of a topic"]),
        ("front.threads", 1, ["undeclared"]),
        ("left.mask", MASK, ["undeclared"]),
    ],
)
def test_what_is_not_allowed_of_a_camera_is_refused(graph, name, value, words):
    allowed, why = graph.set(name, value)
    assert not allowed
    assert all(word in why for word in words), why


def test_a_camera_that_is_silent_holds_up_nobody_and_is_named(start):
    graph = start(cameras="front,rear", stale_after=0.5)
    front = Camera(graph, "front", "depth")

    def named() -> bool:
        ask([(front, image_of(FRONT, graph.header()))])
        return graph.says("rear input", WARN, "rear/image_raw", "has no publisher", "remap `rear/image_raw`")

    graph.wait_for(named, "the silent one to be named, while the other one is answered", 2 * PATIENCE)
    graph.wait_for(lambda: int(front.values("outputs").get("answers", 0)), "its answers to be counted")


def test_a_camera_that_sends_fast_does_not_starve_the_others(graph, front, rear):
    for _ in range(5):
        image, again = image_of(REAR, graph.header()), 0.0

        def seen(image=image) -> bool:
            nonlocal again
            # As fast as this process can: far more than the node can answer beside it.
            for _ in range(3):
                front.images.publish(image_of(FRONT, graph.header()))
            if time.monotonic() > again:
                again = time.monotonic() + AGAIN
                rear.images.publish(image)
            return bool(rear.answers(image)[0])

        graph.wait_for(seen, "an answer beside a flood")
    assert front.heard["depth"]


def test_depths_that_are_measured_for_one_camera_are_its_own(graph, calibrated):
    front, rear = calibrated
    publisher = graph.node.create_publisher(PointCloud2, "front/anchors", 5)
    x, y = np.random.default_rng(0).uniform((-0.4, -0.3), (0.4, 0.3), (60, 2)).T
    anchors = cloud_of({"x": 2 * x, "y": 2 * y, "z": np.full(60, 2.0)})

    def used() -> bool:
        anchors.header = graph.header("eye")
        publisher.publish(anchors)
        graph.spin(0.05)
        images = [(front, FRONT), (rear, REAR)]
        ask([(camera, image_of(pixels, graph.header("eye"))) for camera, pixels in images])
        return float(front.values("anchoring").get("anchors: used a frame", 0)) > 0

    graph.wait_for(used, "anchors of one camera", 2 * PATIENCE)
    assert "anchors: used a frame" not in rear.values("anchoring")
    graph.node.destroy_publisher(publisher)


def test_one_engine_does_for_all_cameras(graph, start):
    alone = start()

    def modules(graph: Graph) -> int:
        maps = Path(f"/proc/{graph.process.pid}/maps").read_text().splitlines()
        return sum("fastdepth-module" in line for line in maps)

    assert modules(graph) == modules(alone) > 0


def test_names_that_cannot_be_are_refused_at_start_and_mended_while_the_node_lives(start):
    graph = start(wait=False, cameras="front,front")
    graph.wait_until_it_says("node", ERROR, "front stands there twice", "front,rear")
    assert graph.state == "unconfigured"
    assert graph.set("cameras", ["left", "right"]) == (True, "")
    assert graph.get("cameras") == "left,right"
    assert graph.set("left.max_depth", 5)[0]
    assert graph.change("configure")
    assert graph.change("activate")
    left = Camera(graph, "left", "depth")
    ask([(left, image_of(FRONT, graph.header()))])

    # Other cameras while the node is unconfigured.
    for transition in ("deactivate", "cleanup"):
        assert graph.change(transition)
    assert graph.set("cameras", "left,top") == (True, "")
    assert graph.get("left.max_depth") == 5.0
    assert not graph.set("right.max_depth", 5)[0]
    for transition in ("configure", "activate"):
        assert graph.change(transition)
    left, top = (Camera(graph, name, "depth") for name in ("left", "top"))
    ask([(camera, image_of(FRONT, graph.header())) for camera in (left, top)])

    # And back to a single one, under plain names.
    for transition in ("deactivate", "cleanup"):
        assert graph.change(transition)
    assert graph.set("cameras", []) == (True, "")
    for transition in ("configure", "activate"):
        assert graph.change(transition)
    graph.ask(image_of(FRONT, graph.header()), "depth")


def test_a_value_of_one_camera_that_is_not_allowed_keeps_the_node_from_starting(start, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(
        """/**:
  ros__parameters:
    cameras: [front, rear]
    max_depth: 8.0
    front:
      max_depth: 4.0
      rotation: 45
"""
    )
    graph = start("--ros-args", "--params-file", str(file), wait=False)
    graph.wait_until_it_says("node", ERROR, "front.rotation cannot be", "0, 90, 180, 270", "configure the node")
    assert [graph.get(f"{camera}.max_depth") for camera in ("front", "rear")] == [4.0, 8.0]
    assert graph.set("rotation", 180)[0], "the plain one mends nothing"
    assert not graph.change("configure")
    assert graph.set("front.rotation", 90)[0]
    assert graph.change("configure")
    assert graph.get("front.rotation") == "90"
    assert graph.get("rear.rotation") == "180"
