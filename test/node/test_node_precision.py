"""The node with the network in int8."""

import numpy as np
import pytest
from node_graph import depth_of, image_of

from fastdepth_ros.compiler.pointwise import INT8
from fastdepth_ros.runtime import processor

PIXELS = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)


def test_the_node_answers_in_int8_and_says_so(start):
    if not processor.features().issuperset(INT8.needs):
        pytest.skip("this processor lacks AVX-512 VNNI")
    graph = start(precision="int8")
    (depth,) = graph.ask(image_of(PIXELS, graph.header()), "depth")
    assert np.isfinite(depth_of(depth)).any()
    graph.wait_for(lambda: graph.values("inference").get("precision") == "int8", "the precision in diagnostics")
    assert graph.set("precision", "float32")[0] is False
