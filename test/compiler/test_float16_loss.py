"""What float16 loses, measured where no processor has it: rounding is the definition's, and the manifest gets a row."""

import json
import runpy

import float16
import numpy as np
import pytest
from made_weights import CHECKOUT
from small_network import small_bundle

from fastdepth_ros.compiler import build
from fastdepth_ros.runtime.bundle import MANIFEST, Bundle
from fastdepth_ros.runtime.precision import choose

TOOL = runpy.run_path(str(CHECKOUT / "tools" / "float16_loss.py"))


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    # Kernels of anchors and filters are what other tests are about, and take longer to compile than this network.
    for name in ("anchor_kernels", "filter_kernels"):
        monkeypatch.setattr(build, name, lambda *_: {})
    return small_bundle(tmp_path)


def test_a_processor_without_float16_rounds_to_it(bundle, tmp_path):
    answers = []
    for precision in ("float32", "float16"):
        engine = TOOL["engine"](bundle, precision, tmp_path)
        engine.input[:] = np.random.default_rng(1).integers(0, 256, engine.input.shape)
        answers.append(engine.run().copy())
    expected = float16.depth(bundle.manifest.network, bundle.weights(), engine.input)
    off, rounding = (np.abs(each - expected).max() for each in (answers[1], answers[0]))
    assert rounding > 0, "float16 would be float32"
    assert off < 0.02 * rounding


def test_each_set_gets_a_row_by_which_auto_does_not_go(bundle, few_rooms, tmp_path, capsys):
    few_rooms(tmp_path / "rooms", 2)
    before = choose(bundle)
    TOOL["main"]([str(bundle.path), str(tmp_path / "rooms")])
    assert "| rooms | 2 | " in capsys.readouterr().out
    assert Bundle.open(bundle.path).manifest.losses == bundle.manifest.losses, "nothing was to be written"
    TOOL["main"]([str(bundle.path), str(tmp_path / "rooms"), "--write"])
    row = json.loads((bundle.path / MANIFEST).read_text())["precision_losses"]["lost"]["float16"]["rooms"]
    assert row["pictures"] == 2
    assert row["computed_with"] == TOOL["COMPUTED_WITH"]
    assert choose(Bundle.open(bundle.path)).precision == before.precision
