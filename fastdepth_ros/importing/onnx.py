"""ONNX models, read with a few lines of protobuf: of the graph only the convolutions and what follows them is needed.

Field numbers are those of onnx.proto3 (github.com/onnx/onnx), the wire format is that of
protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing.bounds import check_count, foreign, read_file
from fastdepth_ros.importing.layers import FileLayer, Norm

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 63
"""Bits before its last group of seven."""

MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE = 1, 2, 3, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_FLOAT, ATTRIBUTE_TENSOR = 1, 2, 5
TENSOR_DIMS, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_NAME, TENSOR_RAW, TENSOR_LOCATION = 1, 2, 4, 8, 9, 14
TYPES: dict[int, str] = {1: "<f4", 10: "<f2", 11: "<f8"}
"""TensorProto.DataType of the numbers that weights are made of."""


class _Node(NamedTuple):
    name: str
    op: str
    inputs: list[str]
    outputs: list[str]
    floats: dict[str, float]


def read(path: Path) -> list[FileLayer]:
    """The convolutions of an ONNX model, in the order of the graph, each with the BatchNormalization that reads it.

    Raises:
        WeightsError: the file is no ONNX model, or a convolution's weights are not stored in it as numbers.
    """
    with foreign(path, "an ONNX model", "Export it again."):
        nodes, tensors = _graph(read_file(path))
        layers = _layers(nodes, tensors)
    if not layers:
        raise WeightsError(f"{path} holds no convolution", "It is no FastDepth, or no ONNX model.")
    return layers


def _graph(data: bytes) -> tuple[list[_Node], dict[str, npt.NDArray[Any]]]:
    nodes: list[_Node] = []
    tensors: dict[str, npt.NDArray[Any]] = {}
    for number, graph in _fields(memoryview(data)):
        if number != MODEL_GRAPH:
            continue
        for inner, value in _fields(graph):
            if inner == GRAPH_NODE:
                node, constant = _node(value)
                nodes.append(node)
                if constant is not None:
                    tensors[node.outputs[0]] = constant
            elif inner == GRAPH_INITIALIZER:
                name, array = _tensor(value)
                if array is not None:
                    tensors[name] = array
    return nodes, tensors


def _layers(nodes: list[_Node], tensors: dict[str, npt.NDArray[Any]]) -> list[FileLayer]:
    layers: list[FileLayer] = []
    made: dict[str, int] = {}  # name of a convolution's output -> its place in layers
    for node in nodes:
        if node.op == "Conv":
            missing = next((name for name in node.inputs[1:] if name and name not in tensors), None)
            if missing is not None:
                cause = f"convolution {node.name or node.outputs[0]}: {missing} is not stored as float numbers"
                raise WeightsError(cause, "Export a float model with constant weights in one file.")
            arrays = [tensors[name] for name in node.inputs[1:] if name]
            made[node.outputs[0]] = len(layers)
            check_count(len(layers), "convolutions")
            layers.append(FileLayer(node.name or node.outputs[0], arrays[0], arrays[1] if len(arrays) > 1 else None))
        elif node.op == "BatchNormalization" and node.inputs[0] in made:
            place = made[node.inputs[0]]
            gamma, beta, mean, variance = (tensors[name] for name in node.inputs[1:5])
            norm = Norm(gamma, beta, mean, variance, node.floats.get("epsilon", 1e-5))
            layers[place] = FileLayer(layers[place].name, layers[place].weight, layers[place].bias, norm)
    return layers


def _node(data: memoryview) -> tuple[_Node, npt.NDArray[Any] | None]:
    node = _Node("", "", [], [], {})
    constant = None
    for number, value in _fields(data):
        if number == NODE_INPUT:
            node.inputs.append(_text(value))
        elif number == NODE_OUTPUT:
            node.outputs.append(_text(value))
        elif number == NODE_NAME:
            node = node._replace(name=_text(value))
        elif number == NODE_OP_TYPE:
            node = node._replace(op=_text(value))
        elif number == NODE_ATTRIBUTE:
            fields = dict(_fields(value))
            if ATTRIBUTE_FLOAT in fields:
                node.floats[_text(fields[ATTRIBUTE_NAME])] = struct.unpack("<f", _blob(fields[ATTRIBUTE_FLOAT]))[0]
            elif ATTRIBUTE_TENSOR in fields:
                _, constant = _tensor(fields[ATTRIBUTE_TENSOR])
    return node, constant if node.op == "Constant" else None


def _tensor(data: memoryview) -> tuple[str, npt.NDArray[Any] | None]:
    """Name and numbers of a TensorProto; None for numbers that are not floating point or not in this file."""
    name, shape, kind, external = "", [], 0, False
    numbers: list[bytes] = []
    for number, value in _fields(data):
        if number == TENSOR_NAME:
            name = _text(value)
        elif number == TENSOR_DIMS:
            shape += [value] if isinstance(value, int) else list(_varints(value))
        elif number == TENSOR_TYPE:
            kind = _number(value)
        elif number in (TENSOR_RAW, TENSOR_FLOATS):
            numbers.append(bytes(_blob(value)))
        elif number == TENSOR_LOCATION:
            external = value == 1
    if kind not in TYPES or external:
        return name, None
    return name, np.frombuffer(b"".join(numbers), TYPES[kind]).reshape(shape)


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Field number and value of every field: int for a varint, memoryview for the rest."""
    at, data = 0, _blob(data)
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise ValueError("it ends too early")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if shift > LONGEST_VARINT:
            raise ValueError("a number without end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _varints(data: memoryview) -> Iterator[int]:
    at, data = 0, _blob(data)
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _blob(value: Any) -> memoryview:
    """A field's bytes. A hostile file has a number there, of which ``bytes`` would make so many zeros."""
    if not isinstance(value, memoryview):
        raise ValueError("a number where bytes belong")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes where a number belongs")
    return value


def _text(data: memoryview) -> str:
    return bytes(_blob(data)).decode("utf-8")
