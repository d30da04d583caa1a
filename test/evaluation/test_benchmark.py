"""The benchmark: that it compares the same network, and computes what it prints."""

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_weights import CHECKOUT
from rich.console import Console
from small_network import small_bundle

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark import layers, plot, tables
from fastdepth_ros.evaluation.benchmark.names import PRODUCT_SIZE
from fastdepth_ros.evaluation.benchmark.rounds import OURS, OURS_INT8, Bench, Comparison, Timing, compare
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS
from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import int8_here


def interpreter(runtime):
    """Of the environment that has a runtime."""
    folder, how = (".venv-train", "make train-env") if runtime == "torch" else (".venv-bench", "make bench")
    python = CHECKOUT / folder / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no {runtime}: {python} is missing ({how})")
    return python


def silent(_text):
    pass


@pytest.mark.parametrize("runtime", PEERS)
def test_other_runtimes_give_the_same_depth(bundle, module, runtime, tmp_path):
    bench = Bench(bundle, module, {runtime: interpreter(runtime)}, tmp_path)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert comparison.missing == {}
    theirs = comparison.of(runtime, 1)
    assert theirs.version
    assert theirs.difference < 1e-3
    assert np.load(tmp_path / "fastdepth-1.npy").std() > 0.01, "equal because constant"
    if runtime in ("onnxruntime", "openvino"):
        assert comparison.peak(1) > 1e9


def test_answers_that_differ_are_not_compared(bundle, module, tmp_path):
    bench = Bench(bundle, module, {}, tmp_path)
    np.save(tmp_path / f"{OURS}-1.npy", np.ones((2, 2)))
    np.save(tmp_path / "other-1.npy", np.array([[1, 1], [1, 1.5]]))
    with pytest.raises(SettingError, match=r"other differs by 0\.5000 m"):
        bench.difference(Timing("other", 1))


def test_the_network_in_int8_is_measured_beside_itself(bundle, module, tmp_path):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    bench = Bench(bundle, module, {}, tmp_path, module_for(bundle, precision="int8"))
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert [timing.runtime for timing in comparison.timings] == [OURS, OURS_INT8]
    assert comparison.of(OURS_INT8, 1).difference > 0


def test_several_benches_take_turns_in_every_round(bundle, module, tmp_path):
    benches, said = [], []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        benches.append(Bench(bundle, module, {}, tmp_path / name))
        benches[-1].size = name
    comparisons = compare(benches, [1], 2, 0.01, said.append)
    assert said == [f"round {turn} of 2: {name}, {OURS}, 1 thread" for turn in (1, 2) for name in ("one", "other")]
    assert [len(comparison.of(OURS, 1).rounds) for comparison in comparisons] == [2, 2]


def test_the_cost_per_pixel_is_compared_round_by_round():
    def report(side, least, rounds):
        row = {"runtime": OURS, "threads": 1, "min_ms": least, "rounds_median_ms": rounds}
        return {"input_px": [side, side], "runtimes": [row]}

    console = Console(file=io.StringIO(), width=160)
    # The machine is twice as slow in the second round: each size is compared with the first in the same round.
    tables.show_sizes(console, [report(100, 1.0, [1.0, 2.0, 1.1]), report(200, 4.4, [4.8, 9.6, 4.4])])
    numbers = [re.findall(r"[\d.]+x?[\d.]*", line) for line in console.file.getvalue().splitlines() if "00x" in line]
    assert numbers == [
        ["100x100", "1", "1.00", "100.0", "1.00", "1.00"],
        ["200x200", "1", "4.40", "110.0", "1.10", "1.20"],
    ]


def test_a_missing_runtime_is_named_with_its_reason_and_the_others_are_measured(bundle, module, tmp_path):
    pythons = dict.fromkeys(["onnxruntime", "torch"], Path(sys.executable))
    comparison = Bench(bundle, module, pythons, tmp_path).compare([1], rounds=1, seconds=0.05, progress=silent)
    assert [timing.runtime for timing in comparison.timings] == [OURS]
    assert re.search(r"failed: .*No module named 'onnx.*make bench", comparison.missing["onnxruntime"])
    assert re.search(r"failed: .*No module named 'torch", comparison.missing["torch"])
    console = Console(file=io.StringIO(), width=160)
    tables.show_comparison(console, tables.comparison_report(module, comparison))
    assert "not measured: torch: " in console.file.getvalue()


def test_beside_a_module_for_avx2_it_is_said_who_is_free_of_it(bundle, module, tmp_path):
    bench = Bench(bundle, module, {}, tmp_path)
    bench.module = CompiledModule(module.folder, replace(module.description, vector_width=8))
    assert dict(bench.held("openvino")) == {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert bench.held("onnxruntime") is None


def test_an_unknown_runtime_names_the_known_ones(bundle, capsys):
    assert main(["bench", str(bundle.path), "--against", "abacus"]) == 2
    assert "no runtime 'abacus'" in capsys.readouterr().err


def test_a_disturbed_round_counts_once():
    timing = Timing("any", 1, rounds=[[1.0, 1.0, 1.2], [9.0] * 50, [1.0, 1.1, 1.1]])
    assert timing.median == 1.1
    assert timing.minimum == 1.0
    assert timing.p95 == 9.0


def test_shares_and_ratios_are_those_of_the_times(module):
    flop = 2 * PRUNED.macs(224, 224)
    ours, other = Timing(OURS, 1, rounds=[[0.004]]), Timing("other", 1, rounds=[[0.006]])
    product = Timing("other", 1, rounds=[[2 * PRODUCT_SIZE**3 / speed for speed in (100e9, 160e9, 200e9)]])
    slower = Timing("slower", 1, rounds=[[2 * PRODUCT_SIZE**3 / 150e9]])
    found = tables.comparison_report(module, Comparison([ours, other], [slower, product]))
    assert found["sgemm_gflops"] == {"1": 200.0}
    assert found["sgemm_median_gflops"] == {"1": 160.0}
    mine, theirs = found["runtimes"]
    assert mine["share_of_median_sgemm"] == pytest.approx(flop / 0.004 / 160e9, abs=1e-3)
    assert mine["share_of_sgemm_at_best"] == mine["share_of_sgemm"]
    assert mine["gflops"] == pytest.approx(flop / 0.004 / 1e9, abs=0.1)
    assert mine["share_of_sgemm"] == pytest.approx(flop / 0.004 / 200e9, abs=1e-3)
    assert theirs["times_ours"] == pytest.approx(1.5)


@pytest.mark.parametrize("network", [PRUNED, FULL])
def test_the_layers_work_adds_up(network):
    """The last convolution is computed once for each 2x2 pixels that are alike."""
    last = network.last.macs(224, 224)
    assert sum(layers.kernel_macs(network, 224, 224).values()) == network.macs(224, 224) - last + last // 4


def test_every_kernel_and_its_work_is_in_the_table(module):
    rows = layers.rows(module, threads=1, seconds=0.2)
    assert rows[0]["kernel"] == "conv0"
    assert rows[-1]["kernel"] == "decode_conv5"
    assert sum(row["mflop"] for row in rows) == pytest.approx(2 * PRUNED.macs(224, 224) / 1e6, rel=0.01)
    assert all(0 < row["min_us"] <= row["median_us"] for row in rows)


def test_start_and_memory_of_the_engine_are_measured(bundle, tmp_path, capsys):
    file = tmp_path / "start.json"
    file.write_text("an older one")
    with file.open() as before:
        assert main(["bench", str(bundle.path), "--engine-only", "--rounds", "2", "--json", str(file)]) == 0
        assert before.read() == "an older one", "written aside"
    found = json.loads(file.read_text())
    assert 0 < found["ready_s"]["min"] <= found["first_depth_s"]["min"]
    assert 20 < found["resident_mb"]["median"] < 150
    assert "engine ready" in capsys.readouterr().out


def test_cost_per_pixel_by_size_is_reported(tmp_path, capsys):
    bundle = small_bundle(tmp_path)
    file = tmp_path / "sizes.json"
    options = ["--sizes", "32,64", "--threads", "1", "--rounds", "1", "--seconds", "0.05", "--json", str(file)]
    assert main(["bench", str(bundle.path), *options]) == 0
    assert [found["input_px"] for found in json.loads(file.read_text())] == [[32, 32], [64, 64]]
    assert "Cost per pixel" in capsys.readouterr().out


def test_the_comparison_is_drawn_with_every_runtime(module, tmp_path):
    ours, other = Timing(OURS, 1, "0.27", [[0.004]]), Timing("other", 1, "9", [[0.006]])
    found = tables.comparison_report(module, Comparison([ours, other], []))
    plot.draw(tmp_path / "plot.svg", [found])
    assert (tmp_path / "plot.svg").stat().st_size > 5000
    plot.draw(tmp_path / "plot.png", [found, found])
    pixels = cv2.imread(str(tmp_path / "plot.png"))
    assert pixels.std() > 10


def test_a_plot_of_something_else_is_refused(bundle, tmp_path, capsys):
    assert main(["bench", str(bundle.path), "--layers", "--plot", str(tmp_path / "a.png")]) == 2
    assert main(["bench", str(bundle.path), "--plot", str(tmp_path / "a.txt")]) == 2
    assert "End its name in .png or .svg" in capsys.readouterr().err
