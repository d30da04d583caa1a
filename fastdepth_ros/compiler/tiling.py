"""The tile choices of every stage: measured ones from ``tuning/<family>.json``, a rule of thumb for the rest.

Another precision than float32 has tables of its own, ``tuning/<family>-<precision>.json``; without one it takes
float32's. So have pictures of another size than :data:`USUAL`, ``...-<width>x<height>.json``; without one they take
those of the usual size. And so has what has the registers of a family, and other products of bytes: :data:`BYTES_OF`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastdepth_ros.compiler.layout import vectors
from fastdepth_ros.compiler.plan import Stage
from fastdepth_ros.compiler.pointwise import FLOAT32 as FLOAT32_PRECISION
from fastdepth_ros.compiler.pointwise import Precision
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.errors import SettingError, brief, quoted
from fastdepth_ros.files.reading import LARGEST_TEXT, parse_json, read
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.runtime.cache import FLOAT32
from fastdepth_ros.runtime.module import Size
from fastdepth_ros.runtime.precision import INT8
from fastdepth_ros.runtime.processor import byte_products
from fastdepth_ros.runtime.storage import cache_dir, make_private, private_folder, trusted

TUNING = Path(__file__).parent / "tuning"
USUAL = Size(224, 224)
"""Size of the network's pictures, where nothing else is said [px]."""

LARGEST = 4096
"""Largest number of a choice; kernels of larger ones would take hours to compile."""

CACHE_BYTES = 128 * 1024
"""Bytes that a task may keep between its two convolutions: well inside a second-level cache."""

BYTES_OF = {"AVX-VNNI": "int8-vnni"}
"""Products of bytes (``processor.BYTE_PRODUCTS``) that have tables of their own within their family."""

REGISTER_TILES = {"avx512": (3, 7), "avx2": (2, 6), "neon": (4, 5)}
"""(panel, pixels) whose sums, weights and one input fit the vector registers: 32 of AVX-512 and NEON, 16 of AVX2."""


def own_table(target: Target, precision: str = FLOAT32, picture: Size = USUAL) -> Path:
    """File in which `fastdepth tune` keeps this machine's own choices for pictures of a size."""
    return (cache_dir() or private_folder()) / "tuning" / f"{target.cpu}-{_name(target, precision, picture)}"


def _name(target: Target, precision: str, picture: Size) -> str:
    parts = [target.family]
    if precision == INT8:
        products = byte_products(target.needs, target.lanes)
        parts.append(BYTES_OF.get(products.name, INT8) if products else INT8)
    elif precision != FLOAT32:
        parts.append(precision)
    if picture != USUAL:
        parts.append(f"{picture.width}x{picture.height}")
    return f"{'-'.join(parts)}.json"


def measured(target: Target, precision: str = FLOAT32, picture: Size = USUAL) -> dict[str, Tiling]:
    """The choices measured on this very machine, else those shipped for the family; empty where nobody has measured.

    Raises:
        SettingError: a table cannot be read.
    """
    wanted = itertools.product(dict.fromkeys((precision, FLOAT32)), dict.fromkeys((picture, USUAL)))
    for each in wanted:
        own, shipped = own_table(target, *each), TUNING / _name(target, *each)
        if file := own if trusted(own) else shipped if shipped.exists() else None:
            return _read(file)
    return {}


def _read(file: Path) -> dict[str, Tiling]:
    try:
        stages = parse_json(read(file, LARGEST_TEXT))["stages"]
        return {name: _checked(Tiling(**choice)) for name, choice in stages.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"{file} cannot be read ({brief(repr(error), 300)})"
        raise SettingError(cause, "Delete it, or run `fastdepth tune`.") from error


def _checked(choice: Tiling) -> Tiling:
    for name, value in vars(choice).items():
        if type(value) is not int or not 1 <= value <= LARGEST:
            raise ValueError(f"{name} is {quoted(value)}")
    return choice


def write(file: Path, about: Mapping[str, Any], table: Mapping[str, Tiling]) -> None:
    """Write a table, one line per stage, and what is known ``about`` how it came to be."""
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(asdict(choice))}" for name, choice in table.items())
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in about.items())
    make_private(file.parent)
    write_file(file, f'{{\n{head}  "stages": {{\n{lines}\n  }}\n}}\n')


def rule(stage: Stage, target: Target, precision: Precision = FLOAT32_PRECISION) -> Tiling:
    """Choices that are right in kind for any stage: what is in registers fits them, what is in cache fits it."""
    panel, pixels = precision.registers or REGISTER_TILES[target.family]
    _, columns = stage.rows_and_columns
    row_bytes = vectors(stage.channels, target.lanes) * target.lanes * columns * 4
    rows = max(1, min(8, CACHE_BYTES // row_bytes))
    return Tiling(panel=panel, pixels=pixels, unroll=4, strip=2 * pixels, rows=rows)


def choose(
    stages: Iterable[Stage], target: Target, table: Mapping[str, Tiling], precision: Precision = FLOAT32_PRECISION
) -> dict[str, Tiling]:
    """A choice for every stage: the table's, or the rule's."""
    return {stage.name: table.get(stage.name) or rule(stage, target, precision) for stage in stages}
