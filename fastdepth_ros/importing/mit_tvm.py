"""MIT's compiled Jetson files: ``deploy_param.params`` and, beside it, ``deploy_graph.json``.

The graph is what TVM's graph runtime of 2019 executed: a list of fused operations in order, whose arrays carry names of
TVM's making. So a convolution is recognised by its place in the chain, and everything that the graph says of it is held
against the network table: channels, kernel, stride, activation, upsampling and skips.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError, quoted, shortened
from fastdepth_ros.files import reading
from fastdepth_ros.importing import ndarray_list
from fastdepth_ros.importing.bounds import check_count, foreign
from fastdepth_ros.importing.tables import likeliest
from fastdepth_ros.network import Network

Arrays = dict[str, npt.NDArray[Any]]

REMEDY = "These files are of another network; FastDepth's are those of mobilenet-nnconv5dw-skipadd(-pruned)."
LARGEST_GRAPH = 4 * 2**20
"""Bytes; FastDepth's has 60,000."""

STEPS = re.compile(r"conv2d|multiply|mul|add|relu6|relu|clip")
"""Steps of a fused function, read from its name: fuse_conv2d_broadcast_add_clip_3, fused_nn_conv2d_add_nn_relu_1."""


@dataclass
class Found:
    """A convolution of the graph, and what was applied to its answer since.

    Attributes:
        node: its name in the graph.
        weight: (outputs, inputs / groups, row, column).
        scale, bias: one number per output channel; the answer is ``scale * convolution + bias``.
        size: (height, width) of its answer.
        source: number of the convolution whose answer it reads; None for the picture.
        activations: clip (TVM's word for ReLU6) and relu, as they occur.
    """

    node: str
    weight: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    size: tuple[int, int]
    source: int | None
    activations: list[str] = field(default_factory=list)


def read(path: Path) -> Arrays:
    """The weights, named as in the network table and with everything folded in.

    Args:
        path: the ``.params`` file; the graph has the same name with "param" replaced by "graph", and ends in .json.

    Raises:
        WeightsError: a file cannot be read, or the graph is not that of a known network; the cause names the layer.
    """
    graph = path.with_name(path.name.removesuffix(".params").replace("param", "graph") + ".json")
    if not os.path.isfile(graph):
        raise WeightsError(f"{graph}, the graph of {path.name}, is missing", "Copy both files to one folder.")
    arrays = ndarray_list.read(path)
    with foreign(graph, "a graph of TVM's graph runtime", "Copy the file again."):
        found, skips = _walk(reading.parse_json(reading.read(graph, LARGEST_GRAPH)), arrays)
        return _folded(found, skips, graph)


def _folded(found: list[Found], skips: set[tuple[int, int]], graph: Path) -> Arrays:
    """The convolutions' weights by the names of the table that they fit."""
    network = _network(found, graph)
    _check(network, found, skips)
    weights: Arrays = {}
    for conv, one in zip(network.convolutions, found, strict=True):
        weights[f"{conv.name}.weight"] = one.weight * one.scale[:, None, None, None]
        weights[f"{conv.name}.bias"] = one.bias
    return weights


def unpacked(weight: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Weights in the order (output, input, row, column), from TVM's packed orders.

    ARM's schedules keep blocks of outputs together, (O/o, I, row, column, o); x86's blocks of inputs as well,
    (O/o, I/i, row, column, i, o).
    """
    if weight.ndim == 5:
        weight = weight[:, :, :, :, None, :]
    if weight.ndim == 6:
        outer, inner, rows, columns, i, o = weight.shape
        weight = weight.transpose(0, 5, 1, 4, 2, 3).reshape(outer * o, inner * i, rows, columns)
    return np.ascontiguousarray(weight, np.float32)


def _walk(graph: Mapping[str, Any], arrays: Arrays) -> tuple[list[Found], set[tuple[int, int]]]:
    """The graph's convolutions in order, and its skips as pairs of their numbers: (later, earlier)."""
    nodes, rows = graph["nodes"], graph["node_row_ptr"]
    shapes = graph["attrs"]["shape"][1]
    found: list[Found] = []
    skips: set[tuple[int, int]] = set()
    origin: dict[int, int | None] = {}
    for number, node in enumerate(nodes):
        if node["op"] == "null":
            origin[number] = None
            continue
        inputs = [source for source, *_ in node["inputs"]]
        own = [arrays[nodes[i]["name"]] for i in inputs if nodes[i]["name"] in arrays]
        values = [origin[i] for i in inputs if nodes[i]["name"] not in arrays]
        steps = STEPS.findall(node["attrs"]["func_name"])
        if "conv2d" in steps:
            kernel = unpacked(own.pop(0))
            height, width = (int(n) for n in shapes[rows[number]][2:4])
            one = Found(
                shortened(node["name"]),
                kernel,
                np.ones(len(kernel), np.float32),
                np.zeros(len(kernel), np.float32),
                (height, width),
                values[0],
            )
            found.append(one)
            check_count(len(found), "convolutions")
            origin[number] = len(found) - 1
        else:
            known = [value for value in values if value is not None]
            if len(known) == 2 and known[0] != known[1]:
                skips.add((max(known), min(known)))
            origin[number] = max(known, default=None)
        last = origin[number]
        if last is not None:
            _apply(found[last], steps, [np.asarray(a, np.float32).ravel() for a in own], shortened(node["name"]))
    return found, skips


def _apply(one: Found, steps: list[str], vectors: list[npt.NDArray[np.float32]], node: str) -> None:
    """Fold a fused function's factors and summands into the convolution before it."""
    for step in steps:
        if step in ("multiply", "mul") and vectors:
            factor = vectors.pop(0)
            one.scale, one.bias = one.scale * factor, one.bias * factor
        elif step == "add" and vectors:
            one.bias = one.bias + vectors.pop(0)
        elif step in ("clip", "relu6", "relu"):
            one.activations.append("relu" if step == "relu" else "relu6")
    if vectors or one.scale.shape != one.bias.shape or one.bias.shape != (len(one.weight),):
        raise WeightsError(f"{node} of the graph does something that FastDepth does not", REMEDY)


def _network(found: list[Found], graph: Path) -> Network:
    if network := likeliest(lambda i, _: found[i].weight.shape if i < len(found) else None):
        return network
    channels = len(found[0].weight) if found else "no"
    raise WeightsError(f"{graph} begins with a convolution to {channels} channels, as no known network", REMEDY)


def _check(network: Network, found: list[Found], skips: set[tuple[int, int]]) -> None:
    """Hold the graph against the table.

    Raises:
        WeightsError: names the first layer that does not fit.
    """
    convolutions = network.convolutions
    height, width = (side * network.first.stride for side in found[0].size)
    doubled = {block.pointwise.name for block in network.decoder_blocks}
    for number, (conv, one) in enumerate(zip(convolutions, found, strict=False)):

        def differs(what: str, here: object, there: object, layer: str = f"{conv.name} ({one.node})") -> None:
            if here != there:
                raise WeightsError(f"{layer} has {what} {quoted(here)} where {network.name} has {there}", REMEDY)

        height, width = height // conv.stride, width // conv.stride
        differs("weights of shape", one.weight.shape, conv.weight_shape)
        differs("an answer of size", one.size, (height, width))
        differs("the activations", one.activations, [conv.activation])
        differs("the input", one.source, number - 1 if number else None)
        if conv.name in doubled:
            height, width = height * 2, width * 2
    if len(found) != len(convolutions):
        missing = convolutions[len(found)].name if len(found) < len(convolutions) else "a layer of the table"
        cause = f"the graph has {len(found)} convolutions where {network.name} has {len(convolutions)}"
        raise WeightsError(f"{cause}; {missing} is not there", REMEDY)
    number_of = {conv.name: number for number, conv in enumerate(convolutions)}
    for decoder, encoder in network.skips:
        pair = (number_of[f"decode_conv{decoder}.pw"], number_of[f"conv{encoder}.pw" if encoder else "conv0"])
        if pair not in skips:
            raise WeightsError(f"decode_conv{decoder} lacks the skip from conv{encoder}", REMEDY)
        skips = skips - {pair}
    for later, earlier in skips:
        cause = f"{convolutions[later].name} has a skip from {convolutions[earlier].name} that {network.name} has not"
        raise WeightsError(cause, REMEDY)
