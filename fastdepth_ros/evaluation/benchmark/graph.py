"""The way through the network, once for all formats in which other runtimes want it.

All of them compute what the compiled module computes: their answer is the map of half the input's size, because the
last upsampling only repeats numbers. Unlike the module, which reads bytes, they read float32 of 0..1, laid out as each
likes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from fastdepth_ros.evaluation.benchmark.names import TABLE, WEIGHTS
from fastdepth_ros.network import Convolution, Network

Value = TypeVar("Value")


class Graph(Protocol[Value]):
    """A model that is being written; a value is whatever it calls the answer of a layer."""

    def convolution(self, value: Value, conv: Convolution) -> Value:
        """A convolution with its bias and activation."""

    def upsample(self, value: Value) -> Value:
        """Twice the height and width, by nearest neighbour."""

    def add(self, one: Value, other: Value) -> Value:
        """The sum of two maps."""


def walk(network: Network, graph: Graph[Value], picture: Value) -> Value:
    """Write all layers, from the picture to the depth."""
    value = graph.convolution(picture, network.first)
    maps = [value]
    for block in network.encoder_blocks:
        value = graph.convolution(graph.convolution(value, block.depthwise), block.pointwise)
        maps.append(value)
    *blocks, last = network.decoder_blocks
    for block in blocks:
        value = graph.convolution(graph.convolution(value, block.depthwise), block.pointwise)
        value = graph.upsample(value)
        if block.skip is not None:
            value = graph.add(value, maps[block.skip])
    value = graph.convolution(graph.convolution(value, last.depthwise), last.pointwise)
    return graph.convolution(value, network.last)


def read(folder: Path) -> tuple[Network, Mapping[str, Any]]:
    """The network and its weights, as the benchmark put them there."""
    with np.load(folder / WEIGHTS) as arrays:
        weights = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    return Network.from_json(json.loads((folder / TABLE).read_text(encoding="utf-8"))), weights
