"""The node and the precision of its network."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from node_graph import depth_of, image_of

from fastdepth_ros.runtime.bundle import seal
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.losses import Loss, Losses
from fastdepth_ros.runtime.precision import choose, int8_here

PIXELS = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)

needs_int8 = pytest.mark.skipif(int8_here() is None, reason="this processor has no kernels for int8")


def answers_in(graph, precision, why):
    (depth,) = graph.ask(image_of(PIXELS, graph.header()), "depth")
    assert np.isfinite(depth_of(depth)).any()
    graph.wait_for(lambda: graph.values("inference").get("precision") == precision, "the precision in diagnostics")
    assert why in graph.values("inference")["why this precision"]


@needs_int8
def test_the_node_answers_in_int8_and_says_so(start, bundle):
    module_for(bundle, precision="int8")  # compiled before the node's time runs
    graph = start(precision="int8")
    answers_in(graph, "int8", "asked for")
    assert graph.set("precision", "float32")[0] is False


def test_a_bundle_that_does_not_say_what_int8_loses_is_computed_in_float32(start, bundle):
    answers_in(start(), "float32", choose(bundle).reason)


@needs_int8
def test_a_bundle_that_loses_nothing_is_computed_in_int8_unasked(start, bundle, tmp_path):
    folder = shutil.copytree(bundle.path, tmp_path / "measured")
    table = Losses(bundle.weights_sha256, {"int8": {"rooms": Loss(12, 0.001, 0.01, "AVX2")}})
    measured = seal(folder, replace(bundle.manifest, losses=table))
    choice = choose(measured)
    module_for(measured, precision=choice.precision)
    answers_in(start(model=folder), choice.precision, choice.reason)
