"""ONNX files, written field by field as onnx.proto3 says."""

import struct

import numpy as np

TYPES = {np.dtype(np.float32): 1, np.dtype(np.float16): 10, np.dtype(np.int8): 3}


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: bytes | str | int | float) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, array: np.ndarray) -> bytes:
    dims = field(1, b"".join(varint(n) for n in array.shape))  # packed, as protobuf 3 writes repeated numbers
    return dims + field(2, TYPES[array.dtype]) + field(8, name) + field(9, array.tobytes())


def node(op: str, inputs: list[str], output: str, **floats: float) -> bytes:
    attributes = b"".join(field(5, field(1, name) + field(2, value) + field(20, 1)) for name, value in floats.items())
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, op) + attributes


def model(nodes: list[bytes], tensors: dict[str, np.ndarray]) -> bytes:
    graph = b"".join(field(1, each) for each in nodes) + field(2, "fastdepth")
    graph += b"".join(field(5, tensor(name, array)) for name, array in tensors.items())
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))
