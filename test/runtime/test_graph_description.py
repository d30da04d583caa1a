"""A compiled graph of strangers is refused with a reason wherever its description says what cannot be."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from fastdepth_ros.errors import ModuleError
from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Full
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.runtime import graph_engine
from fastdepth_ros.runtime.graph_engine import GraphEngine
from fastdepth_ros.runtime.graph_module import KERNELS, PROGRAM, WEIGHTS, GraphModule, Program
from fastdepth_ros.runtime.module import tvm_version

CONTENT = {KERNELS: b"no library", WEIGHTS: np.arange(8, dtype="<f4").tobytes()}
GRAPH = to_json(Graph("tiny", (Node("only", Full(1, 1, "none", "none", 1), (PICTURE,)),)))


def call(*argument: object) -> list[object]:
    return [{"kernel": "k", "layers": ["only"], "arguments": [argument]}]


def written(folder, text: str = "", **changes):
    told = {
        "format": 1,
        "target": "host",
        "triple": "",
        "cpu": "",
        "needs": [],
        "graph": GRAPH,
        "height": 32,
        "width": 32,
        "answer": [1, 32, 32],
        "numbers": 16,
        "tvm": tvm_version(),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()},
        "calls": [],
        **changes,
    }
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / PROGRAM).write_text(text or json.dumps(told).replace('"ENDLESS"', "1e999"))
    return folder


def test_a_description_of_the_same_making_is_read(tmp_path):
    assert GraphModule.open(written(tmp_path, calls=call("array", 0, 8))).program.calls[0].arguments[0][0] == "array"


HOSTILE = {
    "a number without end": {"calls": call("arena", "ENDLESS", 1)},
    "a flag that is a list": {"needs": [["avx2"]]},
    "a target that is a number": {"target": 5},
    "a precision that is a list": {"precision": []},
    "a digest that is a number": {"sha256": {KERNELS: 1, WEIGHTS: 2}},
    "memory of eight gigabytes": {"numbers": 2**31 - 1},
    "a picture of 2**40 pixels": {"height": 2**20, "width": 2**20},
    "an answer of 2**40 numbers": {"answer": [2**14, 2**13, 2**13]},
    "no table": {"calls": [5]},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_description_that_says_what_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(ModuleError, match=PROGRAM):
        GraphModule.open(written(tmp_path, **HOSTILE[name]))


def test_a_description_that_is_nested_without_end_is_refused(tmp_path):
    with pytest.raises(ModuleError, match="nested too deep"):
        Program.read(written(tmp_path, "[" * 100_000) / PROGRAM)


@pytest.fixture
def library(monkeypatch):
    """TVM's interface, and a library with every kernel."""

    class Everything:
        def __getitem__(self, _name):
            return lambda *_: None

    class Interface:
        def get_global_func(self, _name):
            return lambda *_: Everything()

        def from_dlpack(self, array):
            return array

    monkeypatch.setattr(graph_engine, "tvm_ffi", Interface)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("kind", ["array", "whole"])
def test_a_kernel_is_given_no_weights_behind_their_end(tmp_path, kind):
    module = GraphModule.open(written(tmp_path, calls=call(kind, 4, 5)))
    with pytest.raises(ModuleError, match="k reads 5 numbers from 4 on, of 8"):
        GraphEngine(module, 1)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", [KERNELS, WEIGHTS])
def test_a_file_that_changed_since_it_was_looked_at_is_not_loaded(tmp_path, name):
    module = GraphModule.open(written(tmp_path))
    (tmp_path / name).write_bytes(CONTENT[name][::-1])
    with pytest.raises(ModuleError, match=f"{name} was altered"):
        GraphEngine(module, 1)
