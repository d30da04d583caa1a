"""Writes the network as a TensorFlow Lite file. Runs where ``ai_edge_litert`` is, which brings the format's schema."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from fastdepth_ros.evaluation.benchmark.graph import read
from fastdepth_ros.evaluation.benchmark.names import NETWORK_TFLITE
from fastdepth_ros.network import Convolution, Network, walk

IDENTIFIER = b"TFL3"
VERSION = 3


class Tensor(NamedTuple):
    """A map: its number in the file, and its size."""

    number: int
    height: int
    width: int
    channels: int


class TfliteGraph:
    """Tensors, operators and buffers of a model while it is written."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.buffers = [schema.BufferT()]
        """The first one is empty, and stands for all tensors that are computed."""
        self.codes: list[int] = []

    def map(self, height: int, width: int, channels: int) -> Tensor:
        return Tensor(self.tensor([1, height, width, channels], schema.TensorType.FLOAT32, 0), height, width, channels)

    def constant(self, array: Any) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self.buffers.append(buffer)
        kind = schema.TensorType.INT32 if array.dtype == np.int32 else schema.TensorType.FLOAT32
        return self.tensor(list(array.shape), kind, len(self.buffers) - 1)

    def tensor(self, shape: list[int], kind: int, buffer: int) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = shape, kind, buffer
        tensor.name = f"tensor{len(self.graph.tensors)}"
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, name: str, inputs: list[int], output: Tensor, options: Any = None, kind: str = "") -> Tensor:
        code = getattr(schema.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = inputs, [output.number]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.graph.operators.append(operator)
        return output

    def convolution(self, value: Tensor, conv: Convolution) -> Tensor:
        weight, bias = (self.weights[f"{conv.name}.{part}"] for part in ("weight", "bias"))
        depthwise = conv.kind == "depthwise"
        # (output, input, row, column) becomes (output, row, column, input), or (1, row, column, channel).
        weight = weight.transpose((1, 2, 3, 0) if depthwise else (0, 2, 3, 1))
        padding = schema.Padding.SAME
        height, width = value.height // conv.stride, value.width // conv.stride
        if conv.stride == 2:
            # Of an even map SAME would add its zeros behind the last pixel; the network's stand before the first.
            border = np.array([[0, 0], [conv.kernel // 2, 0], [conv.kernel // 2, 0], [0, 0]], np.int32)
            padded = self.map(value.height + conv.kernel // 2, value.width + conv.kernel // 2, value.channels)
            value = self.operator(
                "PAD", [value.number, self.constant(border)], padded, schema.PadOptionsT(), "PadOptions"
            )
            padding = schema.Padding.VALID
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        options = getattr(schema, f"{kind}T")()
        options.padding, options.strideH, options.strideW = padding, conv.stride, conv.stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = getattr(schema.ActivationFunctionType, conv.activation.upper())
        if depthwise:
            options.depthMultiplier = 1
        inputs = [value.number, self.constant(weight), self.constant(bias)]
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        return self.operator(name, inputs, self.map(height, width, conv.outputs), options, kind)

    def upsample(self, value: Tensor) -> Tensor:
        size = self.constant(np.array([2 * value.height, 2 * value.width], np.int32))
        large = self.map(2 * value.height, 2 * value.width, value.channels)
        options = schema.ResizeNearestNeighborOptionsT()
        inputs = [value.number, size]
        return self.operator("RESIZE_NEAREST_NEIGHBOR", inputs, large, options, "ResizeNearestNeighborOptions")

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        total = self.map(*one[1:])
        return self.operator("ADD", [one.number, other.number], total, schema.AddOptionsT(), "AddOptions")

    def file(self, picture: Tensor, depth: Tensor) -> bytes:
        """The whole file."""
        self.graph.inputs, self.graph.outputs = [picture.number], [depth.number]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = VERSION, [self.graph], self.buffers
        model.operatorCodes = []
        for number in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = number
            code.version = 1
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())


def write(network: Network, weights: Mapping[str, Any], height: int, width: int, path: Path) -> None:
    """Write the model: (1, height, width, 3) float32 RGB of 0..1 -> (1, height / 2, width / 2, 1) metres."""
    graph = TfliteGraph(weights)
    picture = graph.map(height, width, network.first.inputs)
    depth = walk(network, graph, picture)[network.last.name]
    path.write_bytes(graph.file(picture, depth))


def main() -> None:
    """``python -m ... FOLDER HEIGHT WIDTH`` writes the network."""
    folder, height, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    write(*read(folder), height, width, folder / NETWORK_TFLITE)


if __name__ == "__main__":
    main()
