"""MIT's compiled files: a list of TVM's arrays, and the graph beside it."""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

import numpy as np

from hostile import mutate
from hostile.seeds import documents

LIST, ARRAY = 0xF7E58D4F05049CB7, 0xDD5E40F096B4A13F


def _graph() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The first layers of a network that begins as the pruned one does."""
    arrays = {
        "p0": np.ones((16, 3, 3, 3), np.float32),
        "p1": np.ones((16, 1, 1), np.float32),
        "p2": np.ones((16, 1, 3, 3), np.float32),
    }
    nodes = [{"op": "null", "name": name, "inputs": []} for name in ("0", *arrays)]
    for name, inputs in (
        ("fuse_conv2d_broadcast_add_clip", [0, 1, 2]),
        ("fuse_conv2d_relu", [4, 3]),
        ("fuse_upsampling_elemwise_add", [5, 4]),
    ):
        nodes.append(
            {"op": "tvm_op", "name": name, "inputs": [[i, 0, 0] for i in inputs], "attrs": {"func_name": name}}
        )
    shapes = [
        [1, 3, 32, 32],
        [16, 3, 3, 3],
        [16, 1, 1],
        [16, 1, 3, 3],
        [1, 16, 16, 16],
        [1, 16, 16, 16],
        [1, 16, 32, 32],
    ]
    graph = {"nodes": nodes, "node_row_ptr": list(range(8)), "attrs": {"shape": ["list_shape", shapes]}}
    return graph, arrays


GRAPH, ARRAYS = _graph()


def _list(rng: Random) -> bytes:
    def said(right: int, bits: int = 64) -> int:
        return mutate.number(rng, right, bits) if rng.random() < 0.03 else right

    out = struct.pack("<QQQ", LIST, 0, said(len(ARRAYS)))
    for name in ARRAYS:
        out += struct.pack("<Q", said(len(name))) + name.encode()
    out += struct.pack("<Q", said(len(ARRAYS)))
    for array in ARRAYS.values():
        out += struct.pack("<QQII", ARRAY, 0, 1, 0) + struct.pack(
            "<IBBH", said(array.ndim, 32), said(2, 8), said(32, 8), said(1, 16)
        )
        out += b"".join(struct.pack("<Q", said(side)) for side in array.shape)
        out += struct.pack("<Q", said(array.nbytes)) + array.tobytes()
    return out


def make(rng: Random) -> bytes:
    """Both files as one case; see :func:`hostile.mutate.unpack`."""
    data = _list(rng)
    if rng.random() < 0.2:
        data = mutate.spoil(rng, data, 2)
    graph = documents.spoil_json(rng, GRAPH) if rng.random() < 0.6 else json.dumps(GRAPH).encode()
    return mutate.pack(data, graph)
