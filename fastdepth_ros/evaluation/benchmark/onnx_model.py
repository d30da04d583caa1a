"""Writes the network as an ONNX file, straight from the table. Runs where the ``onnx`` package is.

The file computes what the compiled module computes: its answer is the map of half the input's size, because the last
upsampling only repeats numbers; other runtimes need not compute them four times either. Unlike the module, which reads
bytes, it reads float32 of 0..1, already laid out as they like it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fastdepth_ros.evaluation.benchmark.onnx_names import NETWORK, PRODUCT
from fastdepth_ros.network import Convolution, Network

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes and weights of a model while it is written."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")]

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolution(self, value: str, conv: Convolution) -> str:
        for part in ("weight", "bias"):
            array = np.ascontiguousarray(self.weights[f"{conv.name}.{part}"], np.float32)
            self.constants.append(numpy_helper.from_array(array, f"{conv.name}.{part}"))
        pad = conv.kernel // 2
        value = self.add(
            "Conv",
            [value, f"{conv.name}.weight", f"{conv.name}.bias"],
            kernel_shape=[conv.kernel] * 2,
            strides=[conv.stride] * 2,
            pads=[pad] * 4,
            group=conv.inputs if conv.kind == "depthwise" else 1,
        )
        if conv.activation == "relu":
            return self.add("Relu", [value])
        for name, limit in (("zero", 0.0), ("six", 6.0)):
            if name not in {constant.name for constant in self.constants}:
                self.constants.append(numpy_helper.from_array(np.array(limit, np.float32), name))
        return self.add("Clip", [value, "zero", "six"])

    def upsample(self, value: str) -> str:
        return self.add(
            "Resize",
            [value, "", "twice"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )


def write(network: Network, weights: Mapping[str, Any], height: int, width: int, path: Path) -> None:
    """Write the model: (1, 3, height, width) float32 RGB of 0..1 -> (1, 1, height / 2, width / 2) metres."""
    graph = Graph(weights)
    value = graph.convolution("picture", network.first)
    maps = [value]
    for block in network.encoder_blocks:
        value = graph.convolution(graph.convolution(value, block.depthwise), block.pointwise)
        maps.append(value)
    *blocks, last = network.decoder_blocks
    for block in blocks:
        value = graph.convolution(graph.convolution(value, block.depthwise), block.pointwise)
        value = graph.upsample(value)
        if block.skip is not None:
            value = graph.add("Add", [value, maps[block.skip]])
    value = graph.convolution(graph.convolution(value, last.depthwise), last.pointwise)
    depth = graph.convolution(value, network.last)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name,
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, height, width])],
            [helper.make_tensor_value_info(depth, TensorProto.FLOAT, [1, 1, height // 2, width // 2])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_product(size: int, path: Path) -> None:
    """Write a product of two square matrices, the second one constant: what a runtime reaches at most."""
    second = numpy_helper.from_array(np.random.default_rng(0).random((size, size), np.float32), "second")
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size, size]) for name in ("first", "product")]
    node = helper.make_node("MatMul", ["first", "second"], ["product"])
    graph = helper.make_graph([node], "product", shapes[:1], shapes[1:], [second])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.save(model, path)


def main() -> None:
    """``python -m ... WEIGHTS.npz TABLE HEIGHT WIDTH SIZE FOLDER`` writes the network and a matrix product."""
    weights, table, height, width, size, folder = sys.argv[1:]
    with np.load(weights) as arrays:
        write(Network.from_json(json.loads(table)), dict(arrays), int(height), int(width), Path(folder, NETWORK))
    write_product(int(size), Path(folder, PRODUCT))


if __name__ == "__main__":
    main()
