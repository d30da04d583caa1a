"""The tile choices of every block: measured ones from ``tuning/<family>.json``, a rule of thumb for the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fastdepth_ros.compiler.layout import vectors
from fastdepth_ros.compiler.tile import Tiling

TUNING = Path(__file__).parent / "tuning"
CACHE_BYTES = 128 * 1024
"""What a task may keep between its two convolutions: well inside a second-level cache."""

REGISTER_TILES = {"avx512": (3, 7), "avx2": (2, 6), "neon": (4, 5)}
"""(panel, pixels) whose sums, weights and one input fit the vector registers: 32 of AVX-512 and NEON, 16 of AVX2."""


def measured(family: str) -> dict[str, Tiling]:
    """The choices that were measured on a processor of the family, by block name; empty where nobody has."""
    file = TUNING / f"{family}.json"
    if not file.is_file():
        return {}
    return {name: Tiling(**choice) for name, choice in json.loads(file.read_text(encoding="utf-8"))["blocks"].items()}


def rule(family: str, lanes: int, channels: int, width: int) -> Tiling:
    """Choices that are right in kind for any block: what is in registers fits them, what is in cache fits it."""
    panel, pixels = REGISTER_TILES[family]
    row_bytes = vectors(channels, lanes) * lanes * width * 4
    rows = max(1, min(8, CACHE_BYTES // row_bytes))
    return Tiling(panel=panel, pixels=pixels, unroll=4, strip=pixels, rows=rows, slab=rows)


def choose(table: Mapping[str, Tiling], name: str, family: str, lanes: int, channels: int, width: int) -> Tiling:
    """The table's choice for a block of so many channels and output columns, or the rule's."""
    return table.get(name) or rule(family, lanes, channels, width)
