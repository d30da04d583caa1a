"""The benchmark of graphs: turns of all networks and runtimes, and answers that agree."""

import io
import sys

import graphs
import numpy as np
import pytest
from made_weights import CHECKOUT
from rich.console import Console

from fastdepth_ros.evaluation.benchmark import network_report
from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.network_rounds import OURS_INT8, Job, NetworkBench, measure
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.count import count, total
from fastdepth_ros.network.kinds import Full
from fastdepth_ros.runtime.engine import max_threads
from fastdepth_ros.runtime.processor import int8_here

TORCH = CHECKOUT / ".venv-train" / "bin" / "python"
ONNX = CHECKOUT / ".venv-bench" / "bin" / "python"


def silent(_words):
    pass


@pytest.mark.skipif(max_threads() < 2, reason="there is one processor only")
def test_a_network_is_measured_with_every_number_of_threads(tmp_path):
    graph = graphs.tiny()
    bench = NetworkBench(Job("tiny", graph, 32, 48), "host", {}, tmp_path / "tiny", tmp_path / "objects")
    measure([bench], [1, 2], 2, 0.01, silent)
    found = network_report.report(bench, "host")
    assert [(row["runtime"], row["threads"]) for row in found["runtimes"]] == [(OURS, 1), (OURS, 2)]
    assert all(len(row["rounds_median_ms"]) == 2 and 0 < row["min_ms"] <= row["median_ms"] for row in found["runtimes"])
    assert found["macs"] == total(count(graph, 32, 48)).macs
    one, two = (np.load(tmp_path / "tiny" / f"{OURS}-{threads}.npy") for threads in (1, 2))
    assert one.std() > 0.01
    assert np.array_equal(one, two)
    text = io.StringIO()
    network_report.show(Console(file=text, width=140), [found])
    assert "tiny" in text.getvalue()


@pytest.mark.skipif(int8_here() is None, reason="this processor has no products of bytes that kernels use")
def test_int8_takes_turns_with_float32_and_is_not_held_to_its_answers(tmp_path):
    to = GraphBuilder("small")
    to.add("first", Full(3, 2, "relu6", outputs=16))
    to.add("wide", Full(3, 1, "relu", outputs=16))
    to.add("last", Full(1, 1, "none", "bias", 1))
    job = Job("small", to.graph(), 32, 48)
    bench = NetworkBench(job, "host", {}, tmp_path / "small", tmp_path / "objects", int8=True)
    measure([bench], [1], 2, 0.01, silent)
    found = network_report.report(bench, "host")["runtimes"]
    assert [row["runtime"] for row in found] == [OURS, OURS_INT8]
    assert found[0]["difference_of_range"] == 0
    assert 0 < found[1]["difference_of_range"] < 0.1


def test_a_runtime_that_is_not_there_is_named_and_left_out(tmp_path):
    lacking = {"onnxruntime": tmp_path / "python"}
    lacking["onnxruntime"].symlink_to(sys.executable)
    bench = NetworkBench(Job("tiny", graphs.tiny(), 32, 48), "host", lacking, tmp_path / "tiny", tmp_path / "objects")
    measure([bench], [1], 1, 0.01, silent)
    found = network_report.report(bench, "host")
    assert [row["runtime"] for row in found["runtimes"]] == [OURS]
    assert set(found["missing"]) == {"onnxruntime"}


def beside(name, python, made_by):
    missing = f"no {name}: {python} is missing ({made_by})"
    return pytest.param(name, python, marks=pytest.mark.skipif(not python.exists(), reason=missing), id=name)


@pytest.mark.parametrize(
    ("runtime", "python"), [beside("onnxruntime", ONNX, "make bench"), beside("torch", TORCH, "make train-env")]
)
@pytest.mark.parametrize(
    ("make", "height", "width"), [(graphs.encoder_and_decoder, 48, 40), (graphs.oddities, 7, 9)], ids=["both", "odd"]
)
def test_another_runtime_gives_the_same_answer(tmp_path, runtime, python, make, height, width):
    job = Job("any", make(), height, width)
    bench = NetworkBench(job, "host", {runtime: python}, tmp_path / "any", tmp_path / "objects")
    measure([bench], [1], 1, 0.01, silent)
    assert bench.missing == {}
    assert bench.timings[runtime, 1].difference < 1e-4
