"""Graphs of strangers, as a manifest would store them, and entries of one's own, as YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.files.reading import parse_json
from fastdepth_ros.network.count import count
from fastdepth_ros.network.entries import FOLDER, read_entry
from fastdepth_ros.network.printed import printed
from fastdepth_ros.network.stored import from_json, to_json
from hostile.seeds import documents
from hostile.target import Target

ENTRY = (FOLDER / "litedepth.yaml").read_text(encoding="utf-8")
SHARED = (FOLDER / "encoders" / "mobilenetv3-small-minimal.yaml").read_text(encoding="utf-8").partition("rows:")[2]
TEXT = ENTRY.replace("encoder: mobilenetv3-small-minimal", f"encoder:{SHARED.rstrip()}")
"""An entry whose encoder stands in its own file, so that its rows are spoilt, too."""

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


TARGETS = (
    Target("graph", "file", lambda rng: documents.spoil_json(rng, GRAPH_TREE), _graph, 2),
    Target("entry", "file", lambda rng: documents.spoil_yaml(rng, TEXT), _entry, 2),
)
