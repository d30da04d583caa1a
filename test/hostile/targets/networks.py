"""Graphs of strangers, as a manifest would store them, and entries and spaces of one's own, as YAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.files.reading import parse_json
from fastdepth_ros.network.count import count
from fastdepth_ros.network.entries import FOLDER, read_entry
from fastdepth_ros.network.printed import printed
from fastdepth_ros.network.stored import from_json, to_json
from fastdepth_ros.search.choices import by_chance
from fastdepth_ros.search.space import FOLDER as SPACES
from fastdepth_ros.search.space import read_space
from hostile.seeds import documents
from hostile.target import Target

ENTRY = (FOLDER / "litedepth.yaml").read_text(encoding="utf-8")
SHARED = (FOLDER / "encoders" / "mobilenetv3-small-minimal.yaml").read_text(encoding="utf-8").partition("rows:")[2]
TEXT = ENTRY.replace("encoder: mobilenetv3-small-minimal", f"encoder:{SHARED.rstrip()}")
"""An entry whose encoder stands in its own file, so that its rows are spoilt, too."""

SPACE = next(SPACES.glob("*.yaml")).read_text(encoding="utf-8")

GRAPH_TREE = to_json(read_entry(FOLDER / "litedepth.yaml").graph)


def _graph(folder: Path) -> Callable[[bytes], object]:
    del folder

    def take(data: bytes) -> None:
        try:
            table = parse_json(data)
        except ValueError as error:
            raise NetworkError(f"it is no JSON ({error})", "Write it again.") from None
        graph = from_json(table)
        count(graph, 128, 160)

    return take


def _entry(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        path = folder / "mine.yaml"
        path.write_bytes(data)
        found = read_entry(path)
        printed(found.graph, found.height, found.width)

    return take


def _space(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        path = folder / "mine.yaml"
        path.write_bytes(data)
        space = read_space(path)
        count(space.graph(by_chance(space, 0)), space.height, space.width)

    return take


def _space_case(rng: Random) -> bytes:
    """A space, spoilt, or one of whose lists of numbers is long."""
    text = SPACE
    if rng.random() < 0.1:
        many = ", ".join(map(str, range(1, rng.choice((9, 100, 8000)))))
        text = re.sub(r"(kernels|expansions): \[[^]]*\]", rf"\1: [{many}]", text, count=rng.randrange(1, 9))
    return documents.spoil_yaml(rng, text)


TARGETS = (
    Target("graph", "file", lambda rng: documents.spoil_json(rng, GRAPH_TREE), _graph, 2),
    Target("entry", "file", lambda rng: documents.spoil_yaml(rng, TEXT), _entry, 2),
    Target("space", "file", _space_case, _space, 2),
)
