"""Edges are taken out, or guided by the picture, while the node runs; and it says so."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from node_graph import Graph, camera_info_of, depth_of, image_of

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 320, 240
SCENE = cv2.GaussianBlur(np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 4)
SCENE = np.asarray(cv2.normalize(SCENE, None, 0, 255, cv2.NORM_MINMAX), np.uint8)
CAMERA = Intrinsics(WIDTH, HEIGHT, 262.5, 262.5, 159.5, 119.5)


@pytest.fixture(scope="module")
def direct(bundle, module):
    """The same network, without ROS: what the node has to answer."""
    pipeline = Pipeline(open_engine(module), bundle.manifest)

    def run(**settings):
        pipeline.settings = Settings(**settings)
        return pipeline.run(Picture(SCENE, "rgb"), CAMERA).depth.copy()

    return run


def test_edges_are_kept_taken_out_and_guided_while_the_node_runs(graph: Graph, direct):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    image = image_of(SCENE, graph.header())
    assert graph.set("output_size", "camera")[0]
    for edges in ("keep", "remove", "guided", "keep"):
        assert graph.set("edges", edges)[0]
        expected = direct(output_size="camera", edges=edges)
        image.header = graph.header()
        (depth,) = graph.ask(image, "depth")
        np.testing.assert_allclose(depth_of(depth), expected, rtol=1e-5)
        said = {"keep": "", "remove": "remove: ", "guided": "guided"}[edges]
        graph.wait_for(
            lambda said=said: graph.values("inference").get("edges", "").startswith(said), f"{edges} is said"
        )
    graph.wait_for(lambda: "edges" not in graph.values("inference"), "nothing to be said")
    assert not np.array_equal(direct(edges="remove"), direct(edges="keep"), True)
    refused, _ = graph.set("edges", "sharp")
    assert not refused
