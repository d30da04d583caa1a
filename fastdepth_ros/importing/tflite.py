"""TFLite models, float or quantised, read with a few lines of FlatBuffers; quantised numbers become real ones again.

Field numbers are those of tensorflow/lite/schema/schema.fbs, the layout that of flatbuffers.dev/internals. A quantised
number q means scale * (q - zero point) (Jacob et al., arXiv 1712.05877, equation 1), with one scale for a tensor or one
for each channel.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing.bounds import check_count, foreign, read_file
from fastdepth_ros.importing.layers import FileLayer

MODEL_OPERATOR_CODES, MODEL_SUBGRAPHS, MODEL_BUFFERS = 1, 2, 4
CODE_OLD, CODE_NEW = 0, 3
SUBGRAPH_TENSORS, SUBGRAPH_INPUTS, SUBGRAPH_OPERATORS = 0, 1, 3
TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION = 0, 1, 2, 3, 4
QUANTIZATION_SCALE, QUANTIZATION_ZERO, QUANTIZATION_AXIS = 2, 3, 6
OPERATOR_CODE, OPERATOR_INPUTS = 0, 1
CONV_2D, DEPTHWISE_CONV_2D = 3, 4
TYPES: dict[int, str] = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 7: "<i2", 9: "i1"}
UNIT_INPUT_TOLERANCE = 0.02
MOST_TABLES = 4096
"""Tensors, buffers or operators; FastDepth has some hundred."""


class _Table:
    """A FlatBuffers table: fields by number, absent ones as their default."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        self._size = struct.unpack_from("<H", data, self._fields)[0]

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry >= self._size:
            return None
        offset = int(struct.unpack_from("<H", self._data, self._fields + entry)[0])
        return self._at + offset if offset else None

    def number(self, field: int, code: str) -> int:
        place = self._place(field)
        return 0 if place is None else int(struct.unpack_from("<" + code, self._data, place)[0])

    def _vector(self, field: int) -> tuple[int, int]:
        """Start of the items, and their number."""
        place = self._place(field)
        if place is None:
            return 0, 0
        start = place + struct.unpack_from("<I", self._data, place)[0]
        return start + 4, struct.unpack_from("<I", self._data, start)[0]

    def array(self, field: int, dtype: str) -> npt.NDArray[Any]:
        start, count = self._vector(field)
        return np.frombuffer(self._data, dtype, count, start)

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return None if place is None else _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def tables(self, field: int) -> list[_Table]:
        start, count = self._vector(field)
        if count > MOST_TABLES:
            raise ValueError(f"a list of {count} tables")
        places = [start + 4 * i for i in range(count)]
        return [_Table(self._data, place + struct.unpack_from("<I", self._data, place)[0]) for place in places]


def read(path: Path) -> list[FileLayer]:
    """The convolutions of a TFLite model in the order of computation, as float32.

    Raises:
        WeightsError: the file is no TFLite model, or its input is not RGB in 0..1.
    """
    with foreign(path, "a TFLite model", "Copy or convert it again."):
        data = read_file(path)
        if data[4:8] != b"TFL3":
            raise WeightsError(f"{path} is no TFLite model", "Its fifth to eighth byte would be TFL3.")
        layers = _layers(data, path)
    if not layers:
        raise WeightsError(f"{path} holds no convolution", "It is no FastDepth.")
    return layers


def _layers(data: bytes, path: Path) -> list[FileLayer]:
    model = _Table(data, struct.unpack_from("<I", data, 0)[0])
    codes = [max(t.number(CODE_OLD, "b"), t.number(CODE_NEW, "i")) for t in model.tables(MODEL_OPERATOR_CODES)]
    graph = model.tables(MODEL_SUBGRAPHS)[0]
    tensors, buffers = graph.tables(SUBGRAPH_TENSORS), model.tables(MODEL_BUFFERS)
    _check_input(tensors[graph.array(SUBGRAPH_INPUTS, "<i4")[0]], path)
    layers: list[FileLayer] = []
    for operator in graph.tables(SUBGRAPH_OPERATORS):
        code = codes[operator.number(OPERATOR_CODE, "I")]
        if code not in (CONV_2D, DEPTHWISE_CONV_2D):
            continue
        check_count(len(layers), "convolutions")
        inputs = operator.array(OPERATOR_INPUTS, "<i4")
        weight = _real(tensors[inputs[1]], buffers)
        bias = _real(tensors[inputs[2]], buffers) if len(inputs) > 2 and inputs[2] >= 0 else None
        # Convolutions are stored as (output, row, column, input), depthwise ones as (1, row, column, output).
        order = (0, 3, 1, 2) if code == CONV_2D else (3, 0, 1, 2)
        name = tensors[inputs[1]].array(TENSOR_NAME, "u1").tobytes().decode("utf-8", "replace")
        layers.append(FileLayer(name, np.ascontiguousarray(weight.transpose(order)), bias))
    return layers


def _real(tensor: _Table, buffers: list[_Table]) -> npt.NDArray[np.float32]:
    """The numbers of a constant tensor, dequantised."""
    shape = tensor.array(TENSOR_SHAPE, "<i4")
    dtype = TYPES[tensor.number(TENSOR_TYPE, "b")]
    stored = buffers[tensor.number(TENSOR_BUFFER, "I")].array(0, "u1").view(dtype).reshape(shape)
    quantization = tensor.table(TENSOR_QUANTIZATION)
    scale = quantization.array(QUANTIZATION_SCALE, "<f4") if quantization else np.zeros(0, np.float32)
    if quantization is None or scale.size == 0:
        return np.asarray(stored, np.float32)
    zero = quantization.array(QUANTIZATION_ZERO, "<i8")
    zero = zero if zero.size else np.zeros(scale.size, np.int64)
    along = [1] * len(shape)
    if zero.size != scale.size or scale.size not in (1, shape[quantization.number(QUANTIZATION_AXIS, "i")]):
        raise ValueError(f"{scale.size} scales and {zero.size} zeros for a tensor of shape {shape.tolist()}")
    along[quantization.number(QUANTIZATION_AXIS, "i")] = scale.size
    real = (stored.astype(np.float64) - zero.reshape(along)) * scale.astype(np.float64).reshape(along)
    return np.asarray(real, np.float32)


def _check_input(tensor: _Table, path: Path) -> None:
    """A quantised input has to mean RGB / 255, as the network table does."""
    quantization = tensor.table(TENSOR_QUANTIZATION)
    scale = quantization.array(QUANTIZATION_SCALE, "<f4") if quantization else np.zeros(0, np.float32)
    if quantization is None or scale.size == 0:
        return
    zero = quantization.array(QUANTIZATION_ZERO, "<i8")
    lowest = {3: 0, 9: -128}.get(tensor.number(TENSOR_TYPE, "b"))
    start = 0 if lowest is None or not zero.size else float(scale[0]) * (lowest - int(zero[0]))
    if abs(start) > UNIT_INPUT_TOLERANCE or abs(float(scale[0]) * 255 - 1) > UNIT_INPUT_TOLERANCE:
        cause = f"{path} takes pictures in {start:.3f}..{start + 255 * float(scale[0]):.3f}"
        raise WeightsError(cause, "This network takes RGB in 0..1; convert it without mean and standard deviation.")
