"""The tile choices of every stage: measured ones from ``tuning/<family>.json``, a rule of thumb for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastdepth_ros.compiler.layout import vectors
from fastdepth_ros.compiler.plan import Stage
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.errors import SettingError
from fastdepth_ros.runtime.cache import cache_dir

TUNING = Path(__file__).parent / "tuning"
CACHE_BYTES = 128 * 1024
"""What a task may keep between its two convolutions: well inside a second-level cache."""

REGISTER_TILES = {"avx512": (3, 7), "avx2": (2, 6), "neon": (4, 5)}
"""(panel, pixels) whose sums, weights and one input fit the vector registers: 32 of AVX-512 and NEON, 16 of AVX2."""


def own_table(target: Target) -> Path:
    """Where `fastdepth tune` keeps this machine's own choices."""
    return cache_dir() / "tuning" / f"{target.cpu}-{target.family}.json"


def measured(target: Target) -> dict[str, Tiling]:
    """The choices measured on this very machine, else those shipped for the family; empty where nobody has measured.

    Raises:
        SettingError: a table cannot be read.
    """
    own = own_table(target)
    file = own if own.is_file() else TUNING / f"{target.family}.json"
    if not file.is_file():
        return {}
    try:
        stages = json.loads(file.read_text(encoding="utf-8"))["stages"]
        return {name: Tiling(**choice) for name, choice in stages.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f"{file} cannot be read ({error!r})", "Delete it, or run `fastdepth tune`.") from error


def write(file: Path, about: Mapping[str, Any], table: Mapping[str, Tiling]) -> None:
    """Write a table, one line per stage, and what is known ``about`` how it came to be."""
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(asdict(choice))}" for name, choice in table.items())
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in about.items())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{{\n{head}  "stages": {{\n{lines}\n  }}\n}}\n', encoding="utf-8")


def rule(stage: Stage, target: Target) -> Tiling:
    """Choices that are right in kind for any stage: what is in registers fits them, what is in cache fits it."""
    panel, pixels = REGISTER_TILES[target.family]
    _, columns = stage.rows_and_columns
    row_bytes = vectors(stage.channels, target.lanes) * target.lanes * columns * 4
    rows = max(1, min(8, CACHE_BYTES // row_bytes))
    return Tiling(panel=panel, pixels=pixels, unroll=4, strip=2 * pixels, rows=rows)


def choose(stages: Iterable[Stage], target: Target, table: Mapping[str, Tiling]) -> dict[str, Tiling]:
    """A choice for every stage: the table's, or the rule's."""
    return {stage.name: table.get(stage.name) or rule(stage, target) for stage in stages}
