"""Writes any graph of layers as an ONNX file. Runs where the ``onnx`` package is.

``python -m ... FOLDER HEIGHT WIDTH`` reads ``graph.json`` and ``weights.npz`` there, and writes ``network.onnx``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fastdepth_ros.evaluation.benchmark.names import GRAPH, NETWORK_ONNX, WEIGHTS
from fastdepth_ros.network.graph import PICTURE, Graph, Node, follow
from fastdepth_ros.network.kinds import (
    Add,
    Concatenate,
    Depthwise,
    MaxPool,
    Transposed,
    Unpool,
    Upsample,
    Weighted,
)
from fastdepth_ros.network.sizes import sizes
from fastdepth_ros.network.stored import from_json

OPSET = 17
IR_VERSION = 8


class OnnxGraphWriter:
    """Nodes and weights of a model while it is written; a value is a name.

    Args:
        graph: the network.
        weights: its arrays.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, Any]) -> None:
        self.graph, self.weights = graph, weights
        self.nodes: list[Any] = []
        self.constants = [numpy_helper.from_array(np.array(n, np.float32), name) for name, n in (("c0", 0), ("c6", 6))]

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """A node, by the name of its answer."""
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, array: Any) -> str:
        """A constant of that name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def layer(self, node: Node, read: Sequence[str]) -> str:
        """A layer of the graph."""
        layer = node.layer
        if isinstance(layer, Weighted):
            return self.activation(self.convolution(node, layer, read[0]), layer.activation)
        if isinstance(layer, Add):
            value = read[0]
            for other in read[1:]:
                value = self.node("Add", [value, other])
            return self.activation(value, layer.activation)
        if isinstance(layer, Concatenate):
            return self.node("Concat", read, axis=1)
        if isinstance(layer, MaxPool):
            pads, sides = [layer.kernel // 2] * 4, [layer.kernel] * 2
            return self.node("MaxPool", read, kernel_shape=sides, strides=[layer.stride] * 2, pads=pads)
        if isinstance(layer, Upsample):
            return self.upsample(node.name, layer, read[0])
        if isinstance(layer, Unpool):
            return self.unpool(node, layer, read[0])
        raise TypeError(f"{node.name}: {layer.word} is not known to this writer")

    def convolution(self, node: Node, layer: Weighted, value: str) -> str:
        """A convolution without its activation."""
        parts = [f"{node.name}.weight"] + [f"{node.name}.bias"] * (layer.offset != "none")
        for part in parts:
            self.constant(part, self.weights[part])
        shape = {"kernel_shape": [layer.kernel] * 2, "strides": [layer.stride] * 2}
        if isinstance(layer, Transposed):
            pads, more = [layer.padding] * 4, [layer.more] * 2
            return self.node("ConvTranspose", [value, *parts], pads=pads, output_padding=more, **shape)
        group = self.graph.input_channels(node) if isinstance(layer, Depthwise) else 1
        return self.node("Conv", [value, *parts], pads=[layer.kernel // 2] * 4, group=group, **shape)

    def activation(self, value: str, activation: str) -> str:
        """An activation behind a value."""
        if activation == "relu":
            return self.node("Relu", [value])
        if activation == "relu6":
            return self.node("Clip", [value, "c0", "c6"])
        return self.node("HardSwish", [value]) if activation == "hard-swish" else value

    def upsample(self, name: str, layer: Upsample, value: str) -> str:
        """Nearest neighbour or bilinear."""
        scales = self.constant(f"{name}.scales", np.array([1, 1, layer.factor, layer.factor], np.float32))
        if layer.mode == "nearest":
            return self.node(
                "Resize",
                [value, "", scales],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        way = "align_corners" if layer.mode == "bilinear-corners" else "half_pixel"
        return self.node("Resize", [value, "", scales], mode="linear", coordinate_transformation_mode=way)

    def unpool(self, node: Node, layer: Unpool, value: str) -> str:
        """Zero-insertion, as a transposed convolution of each channel by itself: the model has no other word for it."""
        channels = self.graph.channels[node.name]
        kernel = np.zeros((channels, 1, layer.factor, layer.factor), np.float32)
        kernel[:, :, 0, 0] = 1
        weight = self.constant(f"{node.name}.zeros", kernel)
        sides = [layer.factor] * 2
        return self.node("ConvTranspose", [value, weight], kernel_shape=sides, strides=sides, group=channels)


def write(graph: Graph, weights: Mapping[str, Any], height: int, width: int, path: Path) -> None:
    """Write the model: (1, channels, height, width) float32 -> (1, channels, height, width) of the last layer."""
    writer = OnnxGraphWriter(graph, weights)
    answer = follow(graph, writer.layer, PICTURE)[graph.answer.name]
    high, wide = sizes(graph, height, width)[graph.answer.name]
    model = helper.make_model(
        helper.make_graph(
            writer.nodes,
            graph.name,
            [helper.make_tensor_value_info(PICTURE, TensorProto.FLOAT, [1, graph.inputs, height, width])],
            [
                helper.make_tensor_value_info(
                    answer, TensorProto.FLOAT, [1, graph.channels[graph.answer.name], high, wide]
                )
            ],
            writer.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    model.ir_version = IR_VERSION
    onnx.save(model, path)


def main() -> None:
    """Read and write as the module says."""
    folder, height, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    graph = from_json(json.loads((folder / GRAPH).read_text(encoding="utf-8")))
    with np.load(folder / WEIGHTS) as arrays:
        write(graph, dict(arrays), height, width, folder / NETWORK_ONNX)


if __name__ == "__main__":
    main()
