"""Bundles of graphs: what is compiled of them, and that the rest of the package takes them as any bundle."""

import json
from dataclasses import replace

import graphs
import numpy as np
import pytest
from slowly import again
from small_network import small_bundle

from fastdepth_ros.anchoring.layout import functions as anchoring
from fastdepth_ros.cli import main
from fastdepth_ros.errors import BundleError, FastDepthError, SettingError, WeightsError
from fastdepth_ros.filters.functions import functions as filters
from fastdepth_ros.importing import import_weights
from fastdepth_ros.lowering import bundles
from fastdepth_ros.lowering.bundles import compile_model
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.halved import halved
from fastdepth_ros.network.kinds import Full, Upsample
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.plain import evaluate
from fastdepth_ros.runtime import cache, kernels
from fastdepth_ros.runtime.bundle import Bundle, Manifest, seal, write_bundle
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.manifest import MANIFEST
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.processor import int8_here


@pytest.fixture
def alone(monkeypatch):
    """Compile no kernels of anchors and filters, which others test: they take longer than a small network's."""
    monkeypatch.setattr(bundles, "anchor_kernels", lambda *_: {})
    monkeypatch.setattr(bundles, "filter_kernels", lambda *_: {})


def bundle_of(folder, graph, width=64, height=32):
    return write_bundle(folder, Manifest("any", graph, width, height), noise_weights(graph), "# Noise\n")


def compared(bundle, folder, precision="float32"):
    """The compiled module's answer with one thread and with two, and NumPy's."""
    engine = open_engine(CompiledModule.open(compile_model(bundle, "host", folder, precision=precision)), 1)
    engine.input[:] = np.random.default_rng(1).integers(0, 256, engine.input.shape)
    one = engine.run().copy()
    engine.threads = 0
    two = engine.run().copy()
    picture = engine.input.transpose(2, 0, 1) / np.float32(255)
    return one, two, evaluate(halved(bundle.manifest.network), bundle.weights(), picture)[0]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    "graph",
    [
        graphs.of_a_bundle(),
        again(graphs.tiny(), id="two kernels"),
        pytest.param(entry("lite0-nnconv5dw").graph, marks=pytest.mark.slow, id="lite0"),
        pytest.param(entry("litedepth").graph, marks=pytest.mark.slow, id="an answer of a quarter"),
    ],
)
def test_a_bundle_of_a_graph_answers_as_plain_numpy(tmp_path, graph):
    one, two, expected = compared(bundle_of(tmp_path / "any", graph), tmp_path / "module")
    assert one.shape == (16, 32)
    assert np.ptp(expected) > 0.01, "the comparison would say nothing"
    np.testing.assert_allclose(one, expected, rtol=0, atol=1e-3 * np.ptp(expected))
    np.testing.assert_array_equal(one, two)


@pytest.mark.usefixtures("alone")
def test_a_bundle_of_a_graph_in_int8_is_near_that(tmp_path):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    bundle = bundle_of(tmp_path / "any", graphs.of_a_bundle())
    one, two, expected = compared(bundle, tmp_path / "module", "int8")
    np.testing.assert_array_equal(one, two)
    difference = np.abs(one - expected)
    assert 0 < difference.mean() < 0.1 * np.ptp(expected)


def test_what_stands_beside_the_network_is_in_its_module(tmp_path):
    bundle = bundle_of(tmp_path / "any", graphs.tiny())
    engine = open_engine(CompiledModule.open(compile_model(bundle, "host", tmp_path / "module")))
    beside = [name for name, _ in [*anchoring(4, 8).values(), *filters(32, 64).values()]]
    assert len(beside) > 5
    assert all(engine.bind(name, []) for name in beside)
    assert engine.bind("another", []) is None


def test_a_manifest_of_a_graph_is_read_as_it_was_written(tmp_path):
    graph = graphs.of_a_bundle()
    bundle = bundle_of(tmp_path / "any", graph)
    assert bundle.manifest.is_graph
    assert bundle.manifest.network == graph
    assert Manifest.from_json(bundle.manifest.to_json(), tmp_path) == bundle.manifest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text["network"]["layers"].pop(), "answers in|channels"),
        (lambda text: text["network"]["layers"][0].update(kernel=2**40), "kernel"),
        (lambda text: text["network"].update(layers={}), "layers"),
        (lambda text: text["network"].update(inputs=1), "channel|reads"),
        (lambda text: text.update(network="layers"), "a graph has the words"),
        (lambda text: text["network"]["layers"][-1].update(outputs=2), "a bundle's network reads 3 and gives 1"),
    ],
    ids=["no end", "a huge kernel", "no layers", "grey", "a word", "two answers"],
)
def test_a_manifest_with_no_such_graph_is_refused(tmp_path, change, words):
    folder = bundle_of(tmp_path / "any", graphs.of_a_bundle()).path
    text = json.loads((folder / MANIFEST).read_text())
    change(text)
    (folder / MANIFEST).write_text(json.dumps(text))
    with pytest.raises(FastDepthError, match=words):
        Bundle.open(folder)


def test_sides_that_the_graph_cannot_take_are_refused(tmp_path):
    to = GraphBuilder("deep")
    for number in range(6):
        to.add(f"down{number}", Full(3, 2, "relu", outputs=4))
    to.add("up8", Upsample(8))
    to.add("up4", Upsample(4))
    to.add("last", Full(1, 1, "none", "bias", 1))
    bundle_of(tmp_path / "any", to.graph(), 64, 64)
    with pytest.raises(BundleError, match="cannot take a picture of 64x32") as refused:
        bundle_of(tmp_path / "other", to.graph(), 64, 32)
    assert "64x64" in refused.value.remedy


def test_maps_that_no_memory_holds_are_refused(tmp_path):
    to = GraphBuilder("wide")
    to.add("first", Full(1, 1, "relu", outputs=512))
    to.add("last", Full(1, 2, "none", "bias", 1))
    bundle_of(tmp_path / "any", to.graph())
    with pytest.raises(BundleError, match="a map of 512x1024x1024 numbers, first"):
        bundle_of(tmp_path / "other", to.graph(), 1024, 1024)


def test_weights_of_another_network_are_refused(tmp_path):
    graph = graphs.of_a_bundle()
    with pytest.raises(WeightsError):
        write_bundle(tmp_path / "any", Manifest("any", graph, 64, 32), noise_weights(graphs.tiny()))
    folder = bundle_of(tmp_path / "any", graph).path
    manifest = replace(Bundle.open(folder).manifest, network=graphs.tiny())
    sealed = seal(folder, manifest, {"weights.safetensors", "MODEL_CARD.md"})
    with pytest.raises(WeightsError):
        sealed.weights()


@pytest.mark.parametrize(
    ("target", "precision", "words"),
    [
        ("cuda-sm_62", "float32", "a graph"),
        ("cortex-a76", "float16", "no kernels in float16"),
        ("z80", "float32", "z80"),
    ],
)
def test_what_graphs_have_no_kernels_for_is_refused(tmp_path, target, precision, words):
    bundle = bundle_of(tmp_path / "any", graphs.tiny())
    with pytest.raises(SettingError, match=words):
        compile_model(bundle, target, tmp_path / "module", precision=precision)
    assert not (tmp_path / "module").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("estimate", "BUNDLE", "--board", "tx2-gpu"),
        ("tune", "BUNDLE"),
        ("bench", "BUNDLE", "--layers"),
        ("bench", "BUNDLE", "--against", "onnxruntime"),
    ],
    ids=lambda command: " ".join(command),
)
def test_commands_for_fastdepth_s_own_networks_say_so(tmp_path, capsys, command):
    folder = bundle_of(tmp_path / "any", graphs.tiny()).path
    assert main([word.replace("BUNDLE", str(folder)) for word in command]) != 0
    assert "graph" in capsys.readouterr().err


def test_a_change_of_what_lowers_graphs_makes_new_modules_of_them_alone(tmp_path, monkeypatch):
    of_graph, of_table = bundle_of(tmp_path / "graph", graphs.tiny()), small_bundle(tmp_path / "table")
    lowering = tmp_path / "lowering"
    lowering.mkdir()
    monkeypatch.setattr(kernels, "LOWERING", lowering)
    before = [cache.module_name(bundle, "host") for bundle in (of_graph, of_table)]
    (lowering / "plan.py").write_text("another")
    after = [cache.module_name(bundle, "host") for bundle in (of_graph, of_table)]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_weights_of_a_graph_are_imported(tmp_path, capsys):
    weights = noise_weights(entry("litedepth").graph)
    np.savez(tmp_path / "weights.npz", **weights)
    words = ["import", str(tmp_path / "weights.npz"), "--network", "litedepth", "--size", "160x128"]
    assert main([*words, "--out", str(tmp_path / "bundle")]) == 0
    assert "litedepth" in capsys.readouterr().out
    bundle = Bundle.open(tmp_path / "bundle")
    assert (bundle.manifest.input_width, bundle.manifest.input_height) == (160, 128)
    assert bundle.manifest.training_focal == pytest.approx((199.1 * 160 / 224, 265.8 * 128 / 224))
    assert bundle.weights().keys() == weights.keys()
    for name, array in bundle.weights().items():
        np.testing.assert_array_equal(array, weights[name])


@pytest.mark.parametrize("size", ["160", "160x", "x128", "1e2x128", "160x128x3", "٣٢x32"])
def test_a_size_that_is_none_is_refused(tmp_path, capsys, size):
    assert main(["import", "weights.npz", "--size", size, "--out", str(tmp_path / "bundle")]) == 2
    assert "--size is" in capsys.readouterr().err


def test_weights_that_do_not_fit_a_graph_are_refused(tmp_path):
    graph = entry("litedepth").graph
    weights = noise_weights(graph)
    weights.popitem()
    np.savez(tmp_path / "weights.npz", **weights)
    with pytest.raises(WeightsError, match="is missing"):
        import_weights(tmp_path / "weights.npz", tmp_path / "bundle", network=graph, size=(160, 128))
    assert not (tmp_path / "bundle").exists()
