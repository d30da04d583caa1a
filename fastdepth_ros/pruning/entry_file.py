"""A graph as an entry's file, layer by layer: the pruned network is one like any other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.network.entries import PARTS, read_entry
from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Add, Concatenate, Full


def write_entry(path: Path, graph: Graph, height: int, width: int, about: str, source: str) -> None:
    """Write a graph as rows of single layers, which read again are the same.

    Args:
        path: of the file; its name is the network's.
        graph: the network.
        height, width: of the picture that its numbers are told for [px].
        about, source: one sentence each.

    Raises:
        NetworkError: rows cannot say the graph: a sum of three maps, or an encoder that reads its decoder.
        StorageError: the file cannot be written.
    """
    parts = {part: [node for node in graph.nodes if (node.part or PARTS[1]) == part] for part in PARTS}
    ordered = [node.name for part in PARTS for node in parts[part]]
    if ordered != [node.name for node in graph.nodes] or graph.inputs != 3:
        raise NetworkError(f"{graph.name} is no encoder with a decoder behind it", "Keep its JSON.")
    text: dict[str, Any] = {"about": about, "source": source, "input": {"width": width, "height": height}}
    if graph.loose:
        text["loose"] = True
    before = PICTURE
    for part, nodes in parts.items():
        rows = []
        for node in nodes:
            rows.append(_row(graph, node, before))
            before = node.name
        if rows:
            text[part] = rows
    make_parents(path.parent)
    write_file(path, yaml.safe_dump(text, sort_keys=False, default_flow_style=None, width=110))
    assert read_entry(path).graph.channels == graph.channels


def _row(graph: Graph, node: Node, before: str) -> dict[str, Any]:
    layer = node.layer
    arguments: dict[str, Any] = {"name": node.name, **asdict(layer)}
    first, *others = node.reads
    if isinstance(layer, Add):
        if len(others) != 1:
            graph.refuse(node.name, f"it adds {len(node.reads)} maps, and a row adds two", "Keep its JSON.")
        arguments["skip"] = others[0]
    elif isinstance(layer, Concatenate):
        arguments["skips"] = others
    if first != before:
        arguments["from"] = first
    return {"conv" if isinstance(layer, Full) else layer.word: arguments}
