"""Graphs in int8: every convolution against its definition in plain NumPy, and whole graphs against float32."""

import graphs
import numpy as np
import pytest
from made_weights import CHECKOUT
from slowly import mostly_again

from fastdepth_ros.compiler.byte_products import BYTE_KERNELS
from fastdepth_ros.compiler.layout import LARGEST_SHARED, LARGEST_WEIGHT
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import open_source
from fastdepth_ros.lowering.build import compile_graph
from fastdepth_ros.lowering.kernels.full import Full as FullKernel
from fastdepth_ros.lowering.kernels.separable import Separable
from fastdepth_ros.lowering.plan import plan
from fastdepth_ros.models import find_bundle
from fastdepth_ros.network import plain
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.graph import follow
from fastdepth_ros.network.kinds import Concatenate, Depthwise, Full, Weighted
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.plain import evaluate
from fastdepth_ros.runtime.engine import max_threads
from fastdepth_ros.runtime.graph_engine import GraphEngine
from fastdepth_ros.runtime.graph_module import PROGRAM, GraphModule, Program
from fastdepth_ros.runtime.processor import byte_products, int8_here
from fastdepth_ros.training.augment import plain_view

HERE = int8_here()
needs_bytes = pytest.mark.skipif(HERE is None, reason="this processor has no products of bytes that kernels use")

SEVERAL = min(2, max_threads())
"""Threads for a second answer: one only where there is one processor."""

STEPS = 254
LOSS = 0.06
"""Largest difference from float32, of the answer's range, of these small graphs of noise."""


def rounded(x):
    """Numbers as bytes stand for them: by their range, in which 0 is exact."""
    low, high = min(x.min(), 0), max(x.max(), 0)
    step = (high - low) / STEPS
    zero = np.floor(0.5 - low / step)
    return (np.floor(x / step + zero + 0.5) - zero) * step


def rounded_weights(weight):
    """(outputs, inputs, rows, columns) as signed bytes stand for them; two bytes of four share sums of 16 bits."""
    sharing = BYTE_KERNELS[HERE.name].sharing
    scale = np.abs(weight).max(axis=(1, 2, 3)) / LARGEST_WEIGHT
    if sharing:
        number = np.arange(weight.shape[1])
        place = number // (4 * sharing) * 2 + number % 4 // 2
        for sign in (1, -1):
            sums = np.zeros((place.max() + 1, weight.shape[0], *weight.shape[2:]))
            np.add.at(sums, place, (sign * weight).clip(0).transpose(1, 0, 2, 3))
            scale = np.maximum(scale, sums.max(axis=(0, 2, 3)) / (LARGEST_SHARED - sharing))
    scale = scale[:, None, None, None]
    return np.rint(weight / scale) * scale


def behind_itself(layer, channels):
    """A graph that copies its picture, which is a map of its own then, and has one layer behind it."""
    to = GraphBuilder("one", inputs=channels)
    to.add("copy", Depthwise(1, 1, "none", "none"))
    to.add("layer", layer)
    graph = to.graph(loose=True)
    weights = noise_weights(graph)
    weights["copy.weight"] = np.ones_like(weights["copy.weight"])
    return graph, weights


def answer_of(folder, picture, threads=1):
    engine = GraphEngine(GraphModule.open(folder), threads)
    engine.input[:] = picture
    # What the last picture left in shared memory must not show in the answer to the next.
    engine._arena[:] = np.nan
    return engine.run().copy()


@needs_bytes
@pytest.mark.parametrize(
    ("layer", "channels", "height", "width"),
    [
        pytest.param(Full(1, 1, "relu", outputs=19), 21, 9, 11, id="pointwise-by-panels"),
        pytest.param(Full(3, 1, "none", "none", 8), 40, 7, 5, id="3x3"),
        pytest.param(Full(5, 1, "relu6", outputs=9), 13, 19, 18, id="5x5-by-rows"),
        pytest.param(Full(3, 2, "hard-swish", outputs=17), 8, 20, 34, id="3x3-stride-2"),
        pytest.param(Full(7, 2, "none", "bias", 6), 5, 14, 14, id="7x7-stride-2"),
    ],
)
@pytest.mark.parametrize("lift", [0.0, 9.0], ids=["of-both-signs", "not-negative"])
def test_a_convolution_of_bytes_is_what_its_definition_says(tmp_path, layer, channels, height, width, lift):
    graph, weights = behind_itself(layer, channels)
    stages = plan(graph, height, width, find_target("host"), in_bytes=True).stages
    assert any(isinstance(stage.kernel, FullKernel) and stage.kernel.products for stage in stages)
    picture = np.random.default_rng(1).normal(lift, 1, (channels, height, width)).clip(-4).astype(np.float32)
    folder = compile_graph(graph, weights, "host", tmp_path / "module", height, width, precision="int8")
    assert Program.read(folder / PROGRAM).precision == "int8"
    found = answer_of(folder, picture)
    coarse = {**weights, "layer.weight": rounded_weights(weights["layer.weight"].astype(np.float64))}
    expected = evaluate(graph, coarse, rounded(picture.astype(np.float64)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * (expected.max() - expected.min()))
    assert np.array_equal(answer_of(folder, picture, SEVERAL), found), "two threads"


@needs_bytes
def test_a_depthwise_and_a_pointwise_convolution_of_bytes_take_the_range_of_each_task(tmp_path):
    to = GraphBuilder("pair", inputs=11)
    to.add("dw", Depthwise(3, 1, "hard-swish"))
    to.add("pw", Full(1, 1, "relu", outputs=21))
    graph, (height, width) = to.graph(loose=True), (21, 19)
    weights = noise_weights(graph)
    (rows,) = (
        stage.kernel.tile.rows
        for stage in plan(graph, height, width, find_target("host"), in_bytes=True).stages
        if isinstance(stage.kernel, Separable) and stage.kernel.products
    )
    picture = np.random.default_rng(1).normal(size=(11, height, width)).astype(np.float32)
    found = answer_of(compile_graph(graph, weights, "host", tmp_path / "m", height, width, precision="int8"), picture)
    between = GraphBuilder("first", inputs=11)
    between.add("dw", Depthwise(3, 1, "hard-swish"))
    maps = evaluate(between.graph(loose=True), {k: v for k, v in weights.items() if k[:2] == "dw"}, picture)
    coarse = rounded_weights(weights["pw.weight"].astype(np.float64))[:, :, 0, 0]
    tasks = [rounded(maps[:, at : at + rows].astype(np.float64)) for at in range(0, height, rows)]
    sums = np.einsum("oi,ihw->ohw", coarse, np.concatenate(tasks, axis=1)) + weights["pw.bias"][:, None, None]
    np.testing.assert_allclose(found, sums.clip(0), rtol=0, atol=1e-4 * sums.max())


@needs_bytes
@pytest.mark.parametrize(
    ("make", "height", "width"),
    mostly_again([(graphs.encoder_and_decoder, 48, 40), (graphs.oddities, 7, 9)]),
    ids=["both", "odd"],
)
def test_a_graph_in_int8_is_near_float32_and_the_same_at_any_number_of_threads(tmp_path, make, height, width):
    graph = make()
    weights = noise_weights(graph)
    folder = compile_graph(graph, weights, "host", tmp_path / "module", height, width, precision="int8")
    rng = np.random.default_rng(0)
    if graph.inputs == 3:
        picture = rng.integers(0, 256, (height, width, 3), np.uint8)
        expected = evaluate(graph, weights, picture.transpose(2, 0, 1) / np.float32(255))
    else:
        picture = rng.normal(size=(graph.inputs, height, width)).astype(np.float32)
        expected = evaluate(graph, weights, picture)
    found = answer_of(folder, picture)
    off = np.abs(found - expected).max() / (expected.max() - expected.min())
    assert 1e-4 < off < LOSS
    assert np.array_equal(answer_of(folder, picture, SEVERAL), found)


def test_a_map_becomes_bytes_once_for_all_that_multiply_it():
    to = GraphBuilder("two-readers")
    first = to.add("first", Full(3, 2, "relu", outputs=16))
    one = to.add("one", Full(3, 1, "relu", outputs=16), (first,))
    other = to.add("other", Full(1, 1, "relu", outputs=16), (first,))
    to.add("join", Concatenate(), (one, other))
    to.add("last", Full(1, 1, "none", "bias", 1))
    target = find_target("x86-64-v3")
    assert byte_products(target.needs, target.lanes)
    made = plan(to.graph(loose=True), 32, 32, target, in_bytes=True)
    narrow = [stage for stage in made.stages if type(stage.kernel).__name__ == "Narrow"]
    assert len(narrow) == 1
    readers = [stage for stage in made.stages if narrow[0].writes in stage.reads]
    assert [stage.layers for stage in readers] == [("one",), ("other",)]
    floats = [stage.layers for stage in made.stages if getattr(stage.kernel, "products", "-") == ""]
    assert floats == [("first",), ("last",)], "the first has three channels, the last one number to give"


@pytest.mark.parametrize("target", ["x86-64-v3", "alderlake", "cortex-a57", "cortex-a76"])
def test_instructions_of_every_processor_have_a_plan_that_writes_and_reads_the_same_words(target):
    goal = find_target(target)
    for make, height, width in ((graphs.encoder_and_decoder, 48, 40), (graphs.oddities, 7, 9)):
        graph = make()
        weights = noise_weights(graph)
        made = plan(graph, height, width, goal, in_bytes=True)
        written = {stage.writes for stage in made.stages if type(stage.kernel).__name__ == "Narrow"}
        assert all(place.words for place in written)
        for stage in made.stages:
            for read in stage.reads:
                assert not getattr(read, "words", False) or read in written
            kernel = stage.kernel
            if isinstance(kernel, FullKernel) and kernel.products:
                held = kernel._product().arguments(kernel.target.vectors * kernel.target.lanes)
                assert [array.shape for array in stage.arrays(weights)] == [shape for _, shape, _ in held]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["alderlake", "cortex-a57", "cortex-a76"])
def test_int8_compiles_for_processors_that_are_not_at_hand(tmp_path, target):
    graph = graphs.encoder_and_decoder()
    folder = compile_graph(graph, noise_weights(graph), target, tmp_path / "module", 48, 40, precision="int8")
    assert Program.read(folder / PROGRAM).precision == "int8"


def test_a_precision_that_the_target_cannot_compute_is_refused(tmp_path):
    graph = graphs.tiny()
    with pytest.raises(SettingError, match="x86-64-v4 lacks AVX-512 VNNI, which int8 needs"):
        compile_graph(graph, noise_weights(graph), "x86-64-v4", tmp_path / "m", 32, 32, precision="int8")
    with pytest.raises(SettingError, match="there is no precision 'int4'"):
        compile_graph(graph, noise_weights(graph), "host", tmp_path / "m", 32, 32, precision="int4")


@needs_bytes
@pytest.mark.slow
def test_the_network_that_ships_is_nearly_itself_as_a_graph_in_int8(tmp_path):
    found, weights = entry("fastdepth-pruned"), find_bundle("fastdepth-indoor").weights()
    size = (found.height, found.width)
    (sample,) = (each for each in open_source(CHECKOUT / "models" / "fastdepth-indoor") if each.name == "room")
    picture = plain_view(sample.read(), *size).pixels
    answers = []
    for precision in ("float32", "int8"):
        folder = compile_graph(found.graph, weights, "host", tmp_path / precision, *size, precision=precision)
        answers.append(answer_of(folder, picture))
    off = answers[1] - answers[0]
    assert 0 < np.sqrt((off**2).mean()) < 0.04, "metres; 0.014 on the average of many pictures"


def defined(graph, weights, picture, height, width):
    """Answer of a graph in int8 as its definition says; no convolution of all channels may read an enlarged map."""
    bytes_of = {}
    for stage in plan(graph, height, width, find_target("host"), in_bytes=True).stages:
        if getattr(stage.kernel, "products", "") and isinstance(stage.kernel, Separable | FullKernel):
            rows = stage.kernel.tile.rows if isinstance(stage.kernel, Separable) else height
            bytes_of.update(dict.fromkeys(stage.layers, rows))

    def compute(node, read):
        if not (isinstance(node.layer, Full) and node.name in bytes_of):
            weight = {name: array for name, array in weights.items() if name.startswith(f"{node.name}.")}
            return layer_alone(node, weight, read)
        rows, (x,) = bytes_of[node.name], read
        tasks = [rounded(x[:, at : at + rows]) for at in range(0, x.shape[1], rows)]
        coarse = {f"{node.name}.weight": rounded_weights(weights[f"{node.name}.weight"].astype(np.float64))}
        if f"{node.name}.bias" in weights:
            coarse[f"{node.name}.bias"] = weights[f"{node.name}.bias"]
        return layer_alone(node, coarse, [np.concatenate(tasks, axis=1)])

    return follow(graph, compute, picture, ())[graph.answer.name]


def layer_alone(node, weights, read):
    """A layer's answer to maps, in plain NumPy."""
    if not isinstance(node.layer, Weighted):
        return plain.activate(plain._OTHERS[type(node.layer)](node.layer, read), getattr(node.layer, "activation", ""))
    sums = plain._WEIGHTED[type(node.layer)](node.layer, weights[f"{node.name}.weight"].astype(np.float64), read[0])
    if node.layer.offset != "none":
        sums = sums + weights[f"{node.name}.bias"][:, None, None]
    return plain.activate(sums, node.layer.activation)


@needs_bytes
@pytest.mark.slow
def test_a_whole_entry_in_int8_is_what_its_definition_says(tmp_path):
    found = entry("litedepth")
    weights, size = noise_weights(found.graph), (found.height, found.width)
    picture = np.sort(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8), axis=1)
    expected = defined(found.graph, weights, picture.transpose(2, 0, 1) / 255, *size)
    folder = compile_graph(found.graph, weights, "host", tmp_path / "module", *size, precision="int8")
    np.testing.assert_allclose(answer_of(folder, picture), expected, rtol=0, atol=1e-3 * expected.max())
