"""A graph as JSON has it: what a manifest may store, and whoever reads it holds against every rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.files.names import is_name
from fastdepth_ros.network.graph import REMEDY, Graph, Node
from fastdepth_ros.network.kinds import KINDS

WORDS = {"name", "inputs", "loose", "layers"}
PLACES = {"name", "kind", "reads", "part"}
"""Words of a layer that are not its kind's own numbers."""


def to_json(graph: Graph) -> dict[str, Any]:
    """The graph as plain values; :func:`from_json` makes the same of them."""
    return {
        "name": graph.name,
        "inputs": graph.inputs,
        "loose": graph.loose,
        "layers": [
            {
                "name": node.name,
                "kind": node.layer.word,
                "reads": list(node.reads),
                "part": node.part,
                **asdict(node.layer),
            }
            for node in graph.nodes
        ],
    }


def from_json(table: Mapping[str, Any]) -> Graph:
    """The inverse of :func:`to_json`.

    Raises:
        NetworkError: a word is missing or unknown, a value is of another type, or the layers make no graph; the cause
            names the layer.
    """
    if not isinstance(table, Mapping) or set(table) != WORDS:
        words = quoted(list(table)) if isinstance(table, Mapping) else quoted(table)
        raise NetworkError(f"a graph has the words {', '.join(sorted(WORDS))}, and not {words}", REMEDY)
    name, inputs, loose, layers = table["name"], table["inputs"], table["loose"], table["layers"]
    if not is_name(name):
        raise NetworkError(f"a network cannot be called {quoted(name)}", REMEDY)
    if type(inputs) is not int or not 1 <= inputs <= MOST_INPUTS or type(loose) is not bool:
        raise NetworkError(f"{name}: inputs is {quoted(inputs)} and loose {quoted(loose)}", REMEDY)
    if not isinstance(layers, list):
        raise NetworkError(f"{name}: layers is {quoted(layers)} where a list belongs", REMEDY)
    return Graph(name, tuple(_node(name, layer) for layer in layers), inputs, loose)


MOST_INPUTS = 4096
"""Most channels of what a graph reads: an encoder's answer, where it is a decoder alone."""


def _node(network: str, layer: Any) -> Node:
    if not isinstance(layer, Mapping) or not is_name(layer.get("name")):
        raise NetworkError(f"{network}: {quoted(layer)} is no layer with a name", REMEDY)
    place = f"{network}: layer {layer['name']}"
    kind = KINDS.get(layer["kind"]) if isinstance(layer.get("kind"), str) else None
    if kind is None:
        raise NetworkError(f"{place}: {quoted(layer.get('kind'))} is no kind of layer ({', '.join(KINDS)} are)", REMEDY)
    own = {field.name for field in fields(kind)}
    for word in layer:
        if word not in own | PLACES:
            raise NetworkError(f"{place}: {quoted(word)} is no word of {kind.word}", REMEDY)
    for word in own:
        if type(layer.get(word)) not in (int, str):
            raise NetworkError(f"{place}: {word} is {quoted(layer.get(word))}", REMEDY)
    reads, part = layer.get("reads"), layer.get("part", "")
    if not isinstance(reads, list) or not all(isinstance(read, str) for read in reads):
        raise NetworkError(f"{place}: reads is {quoted(reads)} where a list of names belongs", REMEDY)
    if part not in ("encoder", "decoder", ""):
        raise NetworkError(f"{place}: part is {quoted(part)}, and encoder or decoder are known", REMEDY)
    return Node(layer["name"], kind(**{word: layer[word] for word in own}), tuple(reads), part)
