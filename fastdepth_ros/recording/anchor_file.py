"""Measured depths of pictures in a CSV or YAML file: a pixel, metres, and how sure they are.

CSV has a header; YAML is a list of tables with the same names::

    u,v,metres,sigma,source,picture
    311.5,207.0,2.41,0.05,anchors,kitchen.jpg

``u`` and ``v`` are pixels of the picture, whole numbers at pixel centres, from its upper left; ``metres`` is depth
along the optical axis. Optional: ``sigma`` [m], empty where it is not known; ``source``, a source of the node;
``picture``, the file name of the picture, where there are several.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import View
from fastdepth_ros.errors import AnchorError, quoted
from fastdepth_ros.files.reading import read
from fastdepth_ros.files.yaml_text import read_yaml

NEEDED, OPTIONAL = ("u", "v", "metres"), ("sigma", "source", "picture")

SOURCES = ("anchors", "scan", "range", "anchor_depth", "floor")

LARGEST = 4 << 20
"""Bytes of a CSV file."""

MOST_ROWS = 100_000

REMEDY = "See docs/anchor-topics.md: u,v,metres and perhaps sigma,source,picture, as CSV with a header or as YAML."


class Row(NamedTuple):
    """One measured depth.

    Attributes:
        where: line or entry of the file, for errors.
        u, v: pixel of the picture.
        metres: depth [m].
        sigma: standard deviation [m]; NaN where it is not known.
        source: of the node.
        picture: name of its file; empty for any.
    """

    where: str
    u: float
    v: float
    metres: float
    sigma: float
    source: str
    picture: str


def read_anchor_file(path: Path) -> list[Row]:
    """The rows of a file.

    Raises:
        AnchorError: it cannot be read, or an entry is none; the error names it.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".yaml", ".yml"):
        raise AnchorError(f"{path} is neither CSV nor YAML nor a recording", REMEDY)
    try:
        rows = list(_from_csv(path) if kind == ".csv" else _from_yaml(path))
    except OSError as error:
        raise AnchorError(f"{path} cannot be read ({error.strerror or error})", REMEDY) from error
    except (ValueError, csv.Error) as error:
        raise AnchorError(f"{path} cannot be read: {error}", REMEDY) from error
    if not rows:
        raise AnchorError(f"{path} holds no measured depth", REMEDY)
    return rows


def anchors_of(rows: Sequence[Row], view: View, width: int, height: int) -> list[Anchors]:
    """The anchors of one picture, of each source together.

    Args:
        rows: of the picture.
        view: that the network has of it.
        width, height: of the picture [px].

    Raises:
        AnchorError: a pixel lies outside the picture.
    """
    for row in rows:
        if not (-0.5 <= row.u < width - 0.5 and -0.5 <= row.v < height - 0.5):
            cause = f"{row.where}: the pixel ({row.u:g}, {row.v:g}) lies outside the picture of {width}x{height}"
            raise AnchorError(cause, "Give pixels at the size of the picture's file.")
    found = []
    for source in dict.fromkeys(row.source for row in rows):
        own = [row for row in rows if row.source == source]
        numbers = np.array([(row.u, row.v, row.metres, row.sigma) for row in own], np.float64)
        across = (numbers[:, 0] - view.x + 0.5) * view.input_width / view.width - 0.5
        down = (numbers[:, 1] - view.y + 0.5) * view.input_height / view.height - 0.5
        pixels = np.stack((across, down), axis=1).astype(np.float32)
        depths, sigmas = numbers[:, 2:].astype(np.float32).T
        found.append(Anchors(source, pixels, depths, sigmas))
    return found


def _from_csv(path: Path) -> Iterator[Row]:
    text = read(path, LARGEST).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True, strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    _check_names(f"the header {','.join(names)!r:.120}", names)
    reader.fieldnames = names
    for row in reader:
        where = f"{path.name}, line {reader.line_num}"
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not as many values as the header")
        yield _row(where, row)
        _check_count(reader.line_num)


def _from_yaml(path: Path) -> Iterator[Row]:
    entries = read_yaml(path)
    if not isinstance(entries, list):
        raise ValueError("it is no list")
    for number, entry in enumerate(entries, 1):
        where = f"{path.name}, entry {number}"
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} is no table of names and values")
        _check_names(f"entry {number}", list(entry))
        yield _row(where, entry)
        _check_count(number)


def _check_count(count: int) -> None:
    if count > MOST_ROWS:
        raise ValueError(f"it has more than {MOST_ROWS} rows")


def _check_names(where: str, names: Sequence[Any]) -> None:
    for name in NEEDED:
        if name not in names:
            raise ValueError(f"{where} lacks {name}")
    unknown = [name for name in names if name not in NEEDED + OPTIONAL]
    if unknown or len(set(names)) < len(names):
        raise ValueError(f"{where} has {quoted(unknown[0]) if unknown else 'a name twice'}")


def _row(where: str, values: Mapping[Any, Any]) -> Row:
    """One row of its values.

    Raises:
        ValueError: one of them cannot be.
    """
    u, v, metres = (_number(where, name, values[name]) for name in NEEDED)
    given = values.get("sigma")
    sigma = math.nan if given in (None, "") else _number(where, "sigma", given)
    source = values.get("source") or "anchors"
    picture = values.get("picture") or ""
    if not metres > 0:
        raise ValueError(f"{where}: metres is {metres:g}, which is no depth")
    if sigma <= 0:
        raise ValueError(f"{where}: sigma is {sigma:g}, which is no standard deviation")
    if source not in SOURCES:
        raise ValueError(f"{where}: the source is {quoted(source)}, none of {', '.join(SOURCES)}")
    if not isinstance(picture, str):
        raise ValueError(f"{where}: the picture is {quoted(picture)}, no name of a file")
    return Row(where, u, v, metres, sigma, source, picture)


def _number(where: str, name: str, value: Any) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: {name} is {quoted(value)}, no number")
    return number
