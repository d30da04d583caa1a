"""The benchmark: that it compares the same network, and computes what it prints."""

import functools
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_weights import CHECKOUT
from rich.console import Console
from small_network import small_bundle

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark import layers, pictures, plot, tables
from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import DEFAULT, FLOAT32, INT8, PRODUCT_SIZE
from fastdepth_ros.evaluation.benchmark.rounds import Bench, Shown, compare
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS, real, stored
from fastdepth_ros.evaluation.benchmark.timings import Comparison, Entrant, Timing
from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import int8_here
from fastdepth_ros.scene.rooms.writer import make_room, photograph

FEW = Shown(calibrating=2, comparing=1)


def interpreter(runtime):
    """Of the environment that has a runtime."""
    folder, how = (".venv-train", "make train-env") if runtime == "torch" else (".venv-bench", "make bench")
    python = CHECKOUT / folder / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no {runtime}: {python} is missing ({how})")
    return python


def silent(_text):
    pass


@pytest.fixture(scope="module", autouse=True)
def once():
    """Have pictures of rooms that several benches show computed once: a room takes as long as all else here."""
    taken: dict[tuple[int, int], Any] = {}

    def photographed(room, seed, number):
        if (seed, number) not in taken:
            taken[seed, number] = photograph(room, seed, number)
        return taken[seed, number]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "make_room", functools.cache(make_room))
        patch.setattr(pictures, "photograph", photographed)
        yield


@pytest.mark.parametrize("runtime", PEERS)
def test_other_runtimes_give_the_same_depth(bundle, module, runtime, tmp_path):
    bench = Bench(bundle, module, {runtime: interpreter(runtime)}, tmp_path, ways=[FLOAT32])
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert comparison.missing == {}
    theirs = comparison.of(runtime, 1)
    assert theirs.version
    assert min(theirs.processor_rounds[0]) > 0
    assert theirs.difference < 1e-3
    assert theirs.rmse is None
    assert np.load(tmp_path / "fastdepth-float32-1.npy").std() > 0.01, "equal because constant"
    if runtime in ("onnxruntime", "openvino"):
        assert comparison.peak(1) > 1e9


@pytest.mark.parametrize("runtime", ["openvino", "ncnn"])
def test_a_runtime_whose_default_may_be_another_is_measured_as_it_comes_and_says_what_that_is(
    bundle, module, runtime, tmp_path
):
    bench = Bench(bundle, module, {runtime: interpreter(runtime)}, tmp_path, ways=[FLOAT32, DEFAULT], shown=FEW)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert comparison.missing == {}
    held, free = comparison.of(runtime, 1), comparison.of(runtime, 1, DEFAULT)
    assert held.precision.startswith("f32" if runtime == "openvino" else "float32")
    assert free.precision
    assert held.rmse < 1e-3
    assert free.rmse < 0.5


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_runtimes_own_tool_quantises_the_network_and_its_error_is_measured(bundle, module, runtime, tmp_path):
    bench = Bench(bundle, module, {runtime: interpreter(runtime)}, tmp_path, ways=[INT8], shown=FEW)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert comparison.missing == {}
    quantised = comparison.of(runtime, 1, INT8)
    assert "int8" in quantised.precision
    assert 1e-3 < quantised.rmse < np.load(tmp_path / "truth.npy").std(), "it computes something else"


def test_the_references_quantised_file_is_held_against_the_references_own_weights(
    bundle, module, reference, tmp_path, monkeypatch
):
    monkeypatch.setenv("FASTDEPTH_REFERENCE", str(reference))
    bench = Bench(bundle, module, {"litert": interpreter("litert")}, tmp_path, ways=[INT8], shown=FEW)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert comparison.missing == {}
    theirs = np.load(tmp_path / "reference-truth.npy")
    assert comparison.of("litert", 1, INT8).rmse < 0.2 < np.abs(theirs - np.load(tmp_path / "truth.npy")).mean()


def test_without_the_reference_its_file_is_missing_and_it_is_said_where_it_would_be(
    bundle, module, tmp_path, monkeypatch
):
    monkeypatch.delenv("FASTDEPTH_REFERENCE", raising=False)
    bench = Bench(bundle, module, {"litert": interpreter("litert")}, tmp_path, ways=[INT8], shown=FEW)
    assert "Set FASTDEPTH_REFERENCE to a folder with weights/fastdepth_224_int8" in bench.missing["litert int8"]


def test_bytes_of_tensorflow_lite_are_numbers_again():
    values = np.float32([0, 0.2, 1, 2])
    held = stored(values, (1 / 255, 0), np.uint8)
    assert held.tolist() == [0, 51, 255, 255]
    np.testing.assert_allclose(real(held, (1 / 255, 0)), [0, 0.2, 1, 1], atol=1 / 255)
    assert stored(values, (0.0, 0), np.float32).dtype == np.float32
    assert real(values, (0.0, 0)) is values


def test_the_rooms_are_those_of_the_command_seen_as_the_network_sees_them(bundle, few_rooms, tmp_path):
    found = pictures.rooms(bundle.manifest, pictures.COMPARISON_SEED, 1, silent)
    assert found.shape == (1, 224, 224, 3)
    (file,) = few_rooms(tmp_path / "rooms", 1).glob("*.jpg")
    whole = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
    view = bundle.manifest.view_of(whole.shape[1], whole.shape[0])
    expected = cv2.resize(view.cut(whole, 1), (224, 224), interpolation=cv2.INTER_AREA)
    assert np.abs(found[0].astype(int) - expected).mean() < 10


def test_answers_that_differ_are_not_compared(bundle, module, tmp_path):
    bench = Bench(bundle, module, {}, tmp_path)
    np.save(tmp_path / f"{OURS}-float32-1.npy", np.ones((2, 2)))
    np.save(tmp_path / "other-float32-1.npy", np.array([[1, 1], [1, 1.5]]))
    with pytest.raises(SettingError, match=r"other differs by 0\.5000 m"):
        bench.difference(Timing(Entrant("other"), 1))
    np.save(tmp_path / "other-int8-1.npy", np.array([[1, 1], [1, 1.5]]))
    assert bench.difference(Timing(Entrant("other", INT8), 1)) == 0.5


def test_the_network_in_int8_is_measured_beside_itself(bundle, module, tmp_path):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    bench = Bench(bundle, module, {}, tmp_path, module_for(bundle, precision="int8"), shown=FEW)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert [timing.entrant for timing in comparison.timings] == [(OURS, FLOAT32), (OURS, INT8)]
    mine = comparison.of(OURS, 1, INT8)
    assert mine.precision == "int8"
    assert mine.difference > 0
    assert comparison.of(OURS, 1).rmse == 0 < mine.rmse < np.load(tmp_path / "truth.npy").std()


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
        row = {"runtime": OURS, "way": FLOAT32, "threads": 1, "min_ms": least, "rounds_median_ms": rounds}
        return {"input_px": [side, side], "runtimes": [row]}

    console = Console(file=io.StringIO(), width=160)
    # The machine is twice as slow in the second round: each size is compared with the first in the same round.
    tables.show_sizes(console, [report(100, 1.0, [1.0, 2.0, 1.1]), report(200, 4.4, [4.8, 9.6, 4.4])])
    numbers = [re.findall(r"[\d.]+x?[\d.]*", line) for line in console.file.getvalue().splitlines() if "00x" in line]
    assert numbers == [
        ["100x100", "1", "1.00", "100.0", "1.00", "1.00"],
        ["200x200", "1", "4.40", "110.0", "1.10", "1.20"],
    ]


def test_a_missing_package_is_named_with_the_remedy_and_the_others_are_measured(bundle, module, tmp_path):
    pythons = dict.fromkeys(["onnxruntime", "openvino", "torch"], Path(sys.executable))
    bench = Bench(bundle, module, pythons, tmp_path, shown=FEW)
    comparison = bench.compare([1], rounds=1, seconds=0.05, progress=silent)
    assert [timing.entrant.runtime for timing in comparison.timings] == [OURS]
    assert re.search(r"onnxruntime, onnx are not installed for .*make bench-env", comparison.missing["onnxruntime"])
    assert "openvino, onnx, nncf are not installed" in comparison.missing["openvino int8"]
    assert "torch is not installed" in comparison.missing["torch"]
    console = Console(file=io.StringIO(), width=160)
    tables.show_comparison(console, tables.comparison_report(module, comparison))
    assert "not measured: torch: " in console.file.getvalue()
    assert "Best against best" not in console.file.getvalue(), "there is nobody to compare with"


def test_beside_a_module_for_avx2_it_is_said_who_is_free_of_it(bundle, module, tmp_path):
    bench = Bench(bundle, module, {}, tmp_path)
    bench.module = CompiledModule(module.folder, replace(module.description, vector_width=8))
    assert dict(bench.held("openvino")) == {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert bench.held("onnxruntime") is None


def test_an_unknown_runtime_or_way_names_the_known_ones(bundle, capsys):
    assert main(["bench", str(bundle.path), "--against", "abacus"]) == 2
    assert "no runtime 'abacus'" in capsys.readouterr().err
    assert main(["bench", str(bundle.path), "--ways", "float32,roman"]) == 2
    assert "no way 'roman' to compute: Choose of float32, default, int8" in capsys.readouterr().err.replace(". ", ": ")


def test_a_disturbed_round_counts_once():
    timing = Timing(Entrant("any"), 1, rounds=[[1.0, 1.0, 1.2], [9.0] * 50, [1.0, 1.1, 1.1]])
    assert timing.median == 1.1
    assert timing.minimum == 1.0
    assert timing.p95 == 9.0


def test_shares_and_ratios_are_those_of_the_times(module):
    flop = 2 * PRUNED.macs(224, 224)
    ours, other = Timing(Entrant(OURS), 1, rounds=[[0.004]]), Timing(Entrant("openvino"), 1, rounds=[[0.006]])
    product = Timing(Entrant("other"), 1, rounds=[[2 * PRODUCT_SIZE**3 / speed for speed in (100e9, 160e9, 200e9)]])
    slower = Timing(Entrant("slower"), 1, rounds=[[2 * PRODUCT_SIZE**3 / 150e9]])
    found = tables.comparison_report(module, Comparison([ours, other], [slower, product]))
    assert found["sgemm_gflops"] == {"1": 200.0}
    assert found["sgemm_median_gflops"] == {"1": 160.0}
    mine, theirs = found["runtimes"]
    assert mine["share_of_median_sgemm"] == pytest.approx(flop / 0.004 / 160e9, abs=1e-3)
    assert mine["share_of_sgemm_at_best"] == mine["share_of_sgemm"]
    assert mine["gflops"] == pytest.approx(flop / 0.004 / 1e9, abs=0.1)
    assert mine["share_of_sgemm"] == pytest.approx(flop / 0.004 / 200e9, abs=1e-3)
    assert theirs["times_ours"] == pytest.approx(1.5)


def test_best_is_compared_with_best_round_by_round(module):
    def timing(runtime, way, *rounds, rmse=0.01):
        clock, processor = [[each] for each in rounds], [[each / 2] for each in rounds]
        return Timing(Entrant(runtime, way), 1, "9", way, clock, rmse=rmse, processor_rounds=processor)

    comparison = Comparison(
        [
            timing(OURS, FLOAT32, 4, 4, 4),
            timing(OURS, INT8, 2, 4, 2),
            timing("onnxruntime", FLOAT32, 5, 5, 5),
            timing("onnxruntime", INT8, 6, 6, 6),
            timing("openvino", FLOAT32, 5, 5, 5),
            timing("openvino", DEFAULT, 3, 6, 3.2),
            timing("openvino", INT8, 4, 4, 4, rmse=0.25),
        ],
        [],
        taken=INT8,
    )
    found = tables.comparison_report(module, comparison)
    assert [(row["runtime"], row["way"]) for row in found["best"]["1"]] == [
        (OURS, INT8),
        ("openvino", DEFAULT),
        ("onnxruntime", FLOAT32),
    ]
    # The machine is twice as slow in the second round.
    assert [row["times_ours_by_round"] for row in found["best"]["1"]] == [1, 1.5, 2.5]
    assert [row["processor_times_ours_by_round"] for row in found["best"]["1"]] == [1, 1.5, 2.5]
    assert found["best"]["1"][1]["processor_ms"] == 1600
    console = Console(file=io.StringIO(), width=160)
    tables.show_comparison(console, found)
    first, second = console.file.getvalue().split("Each in its fastest way")
    assert "default (its default)" in first
    assert "int8 (NNCF)" not in first
    assert re.search(r"int8 \(NNCF\).* 0\.2500 m", second)


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


@pytest.mark.again
def test_cost_per_pixel_by_size_is_reported(tmp_path, capsys):
    bundle = small_bundle(tmp_path)
    file = tmp_path / "sizes.json"
    options = ["--sizes", "32,64", "--threads", "1", "--rounds", "1", "--seconds", "0.05", "--json", str(file)]
    assert main(["bench", str(bundle.path), *options]) == 0
    assert [found["input_px"] for found in json.loads(file.read_text())] == [[32, 32], [64, 64]]
    assert "Cost per pixel" in capsys.readouterr().out


def test_the_comparison_is_drawn_with_every_runtime(module, tmp_path):
    ours = Timing(Entrant(OURS), 1, "0.27", FLOAT32, [[0.004]])
    other = Timing(Entrant("openvino"), 1, "9", "bf16", [[0.006]])
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
