"""Compiled graphs against plain NumPy: every kind of layer, every width of vectors, one and several threads."""

from dataclasses import replace

import graphs
import numpy as np
import pytest
from slowly import again

from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.errors import ModuleError, NetworkError, SettingError, WeightsError
from fastdepth_ros.lowering.build import compile_graph
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.kinds import Full
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.plain import evaluate
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.graph_engine import GraphEngine
from fastdepth_ros.runtime.graph_module import KERNELS, PROGRAM, WEIGHTS, GraphModule

FAMILIES = {"avx512": 16, "avx2": 8, "neon": 4}
RANGE = 1e-3
"""Largest difference, of the range of the answer."""


def as_if(family):
    """This machine, with vectors and tiles of another; any processor runs any width, if not fast."""
    return replace(find_target("host"), name=f"host-{family}", family=family, lanes=FAMILIES[family])


def asked(engine, graph, seed=0):
    """Fill the engine's input; the same picture as NumPy wants it."""
    rng = np.random.default_rng(seed)
    if graph.inputs == 3:
        engine.input[:] = rng.integers(0, 256, engine.input.shape)
        return engine.input.transpose(2, 0, 1) / np.float32(255)
    engine.input[:] = rng.normal(size=engine.input.shape)
    return engine.input


def assert_same(answer, expected):
    assert np.isfinite(answer).all()
    reach = float(expected.max() - expected.min())
    assert reach > 0.01, "the comparison would say nothing"
    np.testing.assert_allclose(answer, expected, rtol=0, atol=RANGE * reach)


@pytest.mark.parametrize(
    ("family", "make", "height", "width"),
    [
        ("avx2", graphs.encoder_and_decoder, 48, 40),
        again("avx512", graphs.encoder_and_decoder, 48, 40),
        pytest.param("neon", graphs.encoder_and_decoder, 48, 40, marks=pytest.mark.slow),
        # Where vectors are wide, channels leave gaps; where they are short, the picture has more than one.
        again("avx512", graphs.oddities, 7, 9),
        ("neon", graphs.oddities, 7, 9),
    ],
)
def test_a_compiled_graph_agrees_with_plain_numpy(tmp_path, family, make, height, width):
    graph = make()
    weights = noise_weights(graph)
    folder = compile_graph(graph, weights, as_if(family), tmp_path / "module", height, width)
    engine = GraphEngine(GraphModule.open(folder), 1)
    expected = evaluate(graph, weights, asked(engine, graph))
    # What the last picture left in shared memory must not show in the answer to the next.
    engine._arena[:] = np.nan
    answer = engine.run().copy()
    assert_same(answer, expected)
    assert np.array_equal(engine.run(), answer), "a second run"
    engine.threads = 2
    assert np.array_equal(engine.run(), answer), "two threads"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    graph = graphs.tiny()
    objects = tmp_path_factory.mktemp("objects")
    out = tmp_path_factory.mktemp("one") / "module"
    return compile_graph(graph, noise_weights(graph), "host", out, 32, 48, objects=objects), objects


def test_kernels_that_were_kept_are_not_compiled_again(compiled, tmp_path):
    folder, objects = compiled
    kept = {file: file.stat().st_mtime_ns for file in objects.rglob("*.o")}
    said = []
    graph = graphs.tiny()
    weights = noise_weights(graph)
    again = compile_graph(graph, weights, "host", tmp_path / "module", 32, 48, objects=objects, progress=said.append)
    assert not said
    assert {file: file.stat().st_mtime_ns for file in objects.rglob("*.o")} == kept
    for name in (KERNELS, WEIGHTS, PROGRAM):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_module_that_took_the_place_of_a_loaded_one_is_the_new_one(compiled, tmp_path):
    for file in compiled[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    engines = [GraphEngine(GraphModule.open(tmp_path), 1)]
    to = GraphBuilder("other", inputs=1)
    to.add("only", Full(1, 1, "none", "none", 1))
    graph = to.graph()
    compile_graph(graph, {"only.weight": np.full((1, 1, 1, 1), 2, np.float32)}, "host", tmp_path, 3, 4)
    engines.append(GraphEngine(GraphModule.open(tmp_path), 1))
    engines[1].input[:] = 1.5
    assert np.array_equal(engines[1].run(), np.full((1, 3, 4), 3, np.float32))
    assert np.isfinite(engines[0].run()).all()


@pytest.mark.parametrize("name", [KERNELS, WEIGHTS, PROGRAM])
def test_an_altered_or_missing_file_is_named(compiled, tmp_path, name):
    for file in compiled[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-40] + b"x" * 40)
    with pytest.raises(ModuleError, match=name):
        GraphModule.open(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModuleError, match=name):
        GraphModule.open(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"format": 1', '"format": 9'),
        ('"numbers": ', '"numbers": -'),
        ('"arena"', '"anywhere"'),
        ('"height": ', '"h": '),
    ],
)
def test_a_description_that_says_what_cannot_be_is_refused(compiled, tmp_path, before, after):
    for file in compiled[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / PROGRAM).read_text()
    assert before in text
    (tmp_path / PROGRAM).write_text(text.replace(before, after))
    with pytest.raises(ModuleError, match=PROGRAM):
        GraphModule.open(tmp_path)


def test_a_module_for_another_processor_is_not_started(tmp_path):
    other, lacking = ("x86-64-v3", "avx2") if "neon" in processor.features() else ("cortex-a57", "neon")
    graph = graphs.tiny()
    folder = compile_graph(graph, noise_weights(graph), other, tmp_path / "module", 16, 16)
    with pytest.raises(ModuleError, match=rf"compiled for {other}.*lacks .*{lacking}"):
        GraphModule.open(folder)


def test_what_cannot_be_compiled_is_told_in_one_line(tmp_path):
    graph = graphs.encoder_and_decoder()
    weights = noise_weights(graph)
    with pytest.raises(NetworkError, match=r"layer.*nearest that it can take is 40x48"):
        compile_graph(graph, weights, "host", tmp_path / "module", 47, 40)
    with pytest.raises(SettingError, match="'z80'"):
        compile_graph(graph, weights, "z80", tmp_path / "module", 48, 40)
    with pytest.raises(WeightsError, match=r"last\.bias is missing"):
        compile_graph(
            graph, {n: a for n, a in weights.items() if n != "last.bias"}, "host", tmp_path / "module", 48, 40
        )
    assert not (tmp_path / "module").exists()


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """Kernels that entries share are compiled once."""
    return tmp_path_factory.mktemp("kernels")


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_entry_compiles_and_agrees_with_plain_numpy(tmp_path, kernels, name):
    found = entry(name)
    weights = noise_weights(found.graph)
    size = found.height, found.width
    folder = compile_graph(found.graph, weights, "host", tmp_path / "module", *size, objects=kernels)
    engine = GraphEngine(GraphModule.open(folder), 1)
    expected = evaluate(found.graph, weights, asked(engine, found.graph))
    answer = engine.run().copy()
    assert_same(answer, expected)
    engine.threads = 2
    assert np.array_equal(engine.run(), answer), "two threads"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["x86-64-v3", "cortex-a57"])
@pytest.mark.parametrize("name", names())
def test_every_entry_compiles_for_other_processors(tmp_path, kernels, name, target):
    found = entry(name)
    folder = compile_graph(
        found.graph, noise_weights(found.graph), target, tmp_path / "module", 32 * 3, 32 * 3, objects=kernels
    )
    assert {path.name for path in folder.iterdir()} == {KERNELS, WEIGHTS, PROGRAM}
