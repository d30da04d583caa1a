"""Whole networks against plain numpy: the unpruned one too, other input sizes, and code for lesser processors."""

import numpy as np
import plain
import pytest
from made_weights import random_weights
from slowly import again, mostly_slow

from fastdepth_ros.compiler import build
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.network import FULL, PRUNED, Network
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Manifest, write_bundle
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import int8_here

ODD = Network("odd", encoder=(3, 17, 5, *[9] * 11), decoder=(7, 9, 5, 17, 33), skips=((2, 5), (4, 1)))


@pytest.fixture
def alone(monkeypatch):
    """Compile no kernels of anchors, which other tests are about: they take longer than a small network's."""
    monkeypatch.setattr(build, "anchor_kernels", lambda *_: {})


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("network", "width", "height", "target"),
    [
        again(FULL, 96, 64, "host", id="unpruned"),
        pytest.param(ODD, 32, 64, "x86-64-v3", id="odd channels for AVX2"),
        pytest.param(PRUNED, 160, 96, "x86-64-v3", marks=pytest.mark.slow, id="pruned for AVX2"),
        pytest.param(ODD, 32, 64, "host", marks=pytest.mark.slow, id="odd channels"),
    ],
)
def test_a_compiled_network_agrees_with_plain_numpy(tmp_path, network, width, height, target):
    if target != "host" and "avx2" not in processor.features():
        pytest.skip(f"{processor.name()} cannot run {target}")
    weights = random_weights(network)
    bundle = write_bundle(tmp_path / "any", Manifest("any", network, width, height), weights, "# Random\n")
    engine = open_engine(CompiledModule.open(compile_bundle(bundle, target, tmp_path / "module")))
    engine.input[:] = np.random.default_rng(1).integers(0, 256, (height, width, 3))
    expected = plain.depth(network, weights, engine.input)
    assert expected.max() > 0.1, "the comparison would say nothing"
    np.testing.assert_allclose(engine.run(), expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("network", "width", "height"),
    [again(ODD, 32, 64), *mostly_slow([(FULL, 96, 64)], 0)],
    ids=["odd channels", "unpruned"],
)
def test_a_network_in_int8_is_near_the_same_in_float32(tmp_path, network, width, height):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    weights = random_weights(network)
    bundle = write_bundle(tmp_path / "any", Manifest("any", network, width, height), weights, "# Random\n")
    folder = compile_bundle(bundle, "host", tmp_path / "module", precision="int8")
    engine = open_engine(CompiledModule.open(folder), 1)
    engine.input[:] = np.random.default_rng(1).integers(0, 256, (height, width, 3))
    expected = plain.depth(network, weights, engine.input)
    answer = engine.run().copy()
    assert 0 < np.abs(answer - expected).mean() < 0.02 * expected.max(), "bytes are near, and not the same"
    engine.threads = 2
    assert np.array_equal(engine.run(), answer), "two threads"


def test_code_for_another_processor_is_made_but_not_started(small_modules):
    other, lacking = ("x86-64-v3", "avx2") if "neon" in processor.features() else ("cortex-a57", "neon")
    with pytest.raises(ModuleError, match=rf"compiled for {other}.*lacks .*{lacking}.*--target host"):
        CompiledModule.open(small_modules(other))


def test_an_unknown_target_names_the_known_ones(tmp_path, bundle):
    with pytest.raises(SettingError, match=r"'z80'.*host.*x86-64-v4"):
        compile_bundle(bundle, "z80", tmp_path / "module")
