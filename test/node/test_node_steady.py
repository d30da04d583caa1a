"""A standing camera's depth flickers less once steadiness is set, while the node runs, and the node says so."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from node_graph import Graph, camera_info_of, depth_of, image_of
from small_network import small_bundle

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 320, 240
RNG = np.random.default_rng(7)
SCENE = cv2.GaussianBlur(RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 8).astype(np.float32) * 1.5
NOISY = [np.clip(SCENE + RNG.normal(0, 3, SCENE.shape), 0, 255).astype(np.uint8) for _ in range(2)]
CAMERA = Intrinsics(WIDTH, HEIGHT, 262.5, 262.5, 159.5, 119.5)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A network that answers in a moment: what comes half a second later begins anew, however busy the machine is."""
    bundle = small_bundle(tmp_path_factory.mktemp("small"))
    return bundle, module_for(bundle)


@pytest.fixture(scope="module")
def graph(start, small):
    return start(model=small[0].path)


@pytest.fixture(scope="module")
def alone(small):
    """Answers to each noisy picture without anything of before."""
    bundle, module = small
    pipeline = Pipeline(open_engine(module), bundle.manifest)
    return [pipeline.run(Picture(pixels, "rgb"), CAMERA).depth.copy() for pixels in NOISY]


def heard_besides(graph: Graph, alone: list[np.ndarray]) -> bool:
    """Show both pictures in turn; whether a depth came that is the answer to neither alone."""
    for pixels in NOISY * 2:
        graph.images.publish(image_of(pixels, graph.header()))
        graph.spin(0.05)
    return any(not any(np.array_equal(depth_of(heard), each, True) for each in alone) for heard in graph.heard["depth"])


def test_depth_goes_on_from_the_picture_before_while_it_is_wanted(graph: Graph, alone):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    (depth,) = graph.ask(image_of(NOISY[0], graph.header()), "depth")
    np.testing.assert_array_equal(depth_of(depth), alone[0])
    assert "steadiness" not in graph.values("inference")
    assert graph.set("steadiness", 0.5)[0]
    graph.read("depth")
    graph.wait_for(lambda: heard_besides(graph, alone), "an answer that earlier ones have a share in")

    def says_so() -> bool:
        heard_besides(graph, alone)
        said = graph.values("inference").get("steadiness", "")
        return said.startswith("0.5: ") and not said.startswith("0.5: 0%")

    graph.wait_for(says_so, "how much goes on")
    assert graph.set("steadiness", 0.0)[0]
    for pixels, expected in zip(NOISY, alone, strict=True):
        (depth,) = graph.ask(image_of(pixels, graph.header()), "depth")
        np.testing.assert_array_equal(depth_of(depth), expected)
    graph.wait_for(lambda: "steadiness" not in graph.values("inference"), "the node to say that it is off")
