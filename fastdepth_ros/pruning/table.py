"""Latency tables as files: what was measured, and how far the sum lies from whole networks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.errors import NetworkError, SettingError, brief
from fastdepth_ros.files.reading import parse_json, read
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.stored import from_json
from fastdepth_ros.pruning.latency import Cubic, Latency, Unit
from fastdepth_ros.pruning.widths import channels_of, resized

FORMAT = 1
LARGEST = 16 << 20
"""Bytes of a table."""


def write_table(path: Path, table: Mapping[str, Any]) -> None:
    """Write a table of ``measure``.

    Raises:
        StorageError: it cannot be written.
    """
    make_parents(path.parent)
    write_file(path, json.dumps(table, indent=1) + "\n")


def read_table(path: Path, graph: Graph) -> dict[str, Any]:
    """A table of a network, or of one with the same layers that are as wide or wider: it holds for both.

    Raises:
        SettingError: the file cannot be read, or is of another network.
    """
    try:
        table: dict[str, Any] = parse_json(read(path, LARGEST))
        if table["format"] != FORMAT:
            raise SettingError(f"{path} has another format", "Measure again: `fastdepth prune NETWORK --measure FILE`.")
        measured = from_json(table["graph"])
        held(table)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        cause = f"{path} cannot be read ({brief(repr(error), 300)})"
        raise SettingError(cause, "Measure again: `fastdepth prune NETWORK --measure FILE`.") from error
    if not _holds_for(measured, graph):
        cause = f"{path} was measured of another network than {graph.name} ({measured.name})"
        raise SettingError(cause, "Measure this one: `fastdepth prune NETWORK --measure FILE`.")
    return table


def _holds_for(measured: Graph, graph: Graph) -> bool:
    """Whether a graph has the layers that were measured, and no more channels."""
    channels = channels_of(measured)
    if {node.name for node in graph.nodes} != {node.name for node in measured.nodes}:
        return False
    widths = {name: graph.channels[name] for name in channels.groups}
    if any(widths[name] > group.channels for name, group in channels.groups.items()):
        return False
    try:
        return resized(measured, channels, widths).nodes == graph.nodes
    except NetworkError:
        return False


def latency_of(table: Mapping[str, Any]) -> Latency:
    """The sum over a table's units, each interpolated between the widths that were measured."""
    known = channels_of(from_json(table["graph"])).groups
    units = []
    for row in table["units"]:
        if not set(row["groups"]) <= set(known):
            raise ValueError(f"unit {row['layers']} has groups that the network has not")
        cost = _constant(row) if not row["groups"] else Cubic(row["widths"], row["milliseconds"])
        units.append(Unit(row["layers"], tuple(row["groups"]), cost))
    digest = hashlib.sha256(json.dumps(table["units"]).encode()).hexdigest()[:12]
    kernels = f"{table['kernels']} kernels, {table['threads']} thread{'s' * (table['threads'] > 1)}"
    words = f"{table['processor']}, {table['target']}, {kernels}, {table['clock']}, {digest}"
    return Latency(words, units)


def held(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each whole network that was run beside the table's: its time, the sum, and the error [%]."""
    return held_against(latency_of(table), table["checks"])


def held_against(latency: Latency, checks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of :func:`held` for whole networks, each with ``name``, ``widths`` and ``milliseconds``."""
    rows = []
    for check in checks:
        found = latency.milliseconds(check["widths"])
        error = 100 * (found / check["milliseconds"] - 1)
        rows.append({"name": check["name"], "measured_ms": check["milliseconds"], "table_ms": found, "error": error})
    return rows


def _constant(row: Mapping[str, Any]) -> Callable[[tuple[int, ...]], float]:
    value = float(np.median(row["milliseconds"]))
    return lambda _: value
