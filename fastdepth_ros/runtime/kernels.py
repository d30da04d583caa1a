"""Version of the kernels that the compiler would make now: whatever was made by another is made anew."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastdepth_ros.files.reading import LARGEST_TEXT, read
from fastdepth_ros.runtime.storage import cache_dir, trusted

__all__ = ["kernels_version"]

COMPILER = Path(__file__).parent.parent / "compiler"
LOWERING = COMPILER.parent / "lowering"


def own_tables() -> list[Path]:
    """Tile tables that were measured on this machine, as far as nobody else can have written them."""
    root = cache_dir()
    return [file for file in sorted((root / "tuning").glob("*.json")) if trusted(file)] if root else []


def kernels_version(of_graph: bool = False) -> str:
    """A digest of the compiler's sources and tile tables, shipped and own: any change of them makes new modules.

    Args:
        of_graph: whether the module is a graph's, to which the sources that lower graphs belong.
    """
    digest = hashlib.sha256()
    lowering = LOWERING.rglob("*.py") if of_graph else ()
    for file in sorted([*COMPILER.rglob("*.py"), *COMPILER.rglob("*.json"), *lowering, *own_tables()]):
        try:
            digest.update(file.name.encode() + b"\0" + read(file, LARGEST_TEXT))
        except OSError as error:
            digest.update(str(error).encode())
    return digest.hexdigest()[:12]
