"""Writes the network as an ONNX file, straight from the table. Runs where the ``onnx`` package is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fastdepth_ros.evaluation.benchmark.graph import read
from fastdepth_ros.evaluation.benchmark.names import NETWORK_ONNX, PRODUCT_ONNX, PRODUCT_SIZE
from fastdepth_ros.network import Convolution, Network, walk

OPSET = 17
IR_VERSION = 8


class OnnxGraph:
    """Nodes and weights of a model while it is written."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        numbers = {"twice": [1, 1, 2, 2], "zero": 0, "six": 6}
        self.constants = [numpy_helper.from_array(np.array(n, np.float32), name) for name, n in numbers.items()]

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolution(self, value: str, conv: Convolution) -> str:
        parts = [f"{conv.name}.{part}" for part in ("weight", "bias")]
        self.constants += [numpy_helper.from_array(self.weights[part], part) for part in parts]
        value = self.node(
            "Conv",
            [value, *parts],
            kernel_shape=[conv.kernel] * 2,
            strides=[conv.stride] * 2,
            pads=[conv.kernel // 2] * 4,
            group=conv.inputs if conv.kind == "depthwise" else 1,
        )
        return self.node("Relu", [value]) if conv.activation == "relu" else self.node("Clip", [value, "zero", "six"])

    def upsample(self, value: str) -> str:
        return self.node(
            "Resize",
            [value, "", "twice"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def add(self, one: str, other: str) -> str:
        return self.node("Add", [one, other])


def write(network: Network, weights: Mapping[str, Any], height: int, width: int, path: Path) -> None:
    """Write the model: (1, 3, height, width) float32 RGB of 0..1 -> (1, 1, height / 2, width / 2) metres."""
    graph = OnnxGraph(weights)
    depth = walk(network, graph, "picture")[network.last.name]
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
    """``python -m ... FOLDER HEIGHT WIDTH`` writes the network and a matrix product."""
    folder, height, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    write(*read(folder), height, width, folder / NETWORK_ONNX)
    write_product(PRODUCT_SIZE, folder / PRODUCT_ONNX)


if __name__ == "__main__":
    main()
