"""Finds files that come with the package, in its checkout or installed: models, configuration, launch files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SITES = ("site-packages", "dist-packages")
"""Names of the folders that pip installs packages to, three below the prefix that it puts their other files under."""


def shares() -> list[Path]:
    """Folders that may hold these files: the checkout, then ``share/fastdepth_ros`` of every installation.

    Installations are what ``AMENT_PREFIX_PATH`` names, the environment that runs, and where pip put this package, which
    is elsewhere with ``--user`` and ``--target``.
    """
    root = PACKAGE.parent
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    prefixes += [str(root.parents[2])] if root.name in SITES else []
    found = [root] if _is_checkout(root) else [root / "share" / PACKAGE.name]
    found += [Path(prefix, "share", PACKAGE.name) for prefix in prefixes if prefix]
    return [folder for folder in dict.fromkeys(found) if os.path.isdir(folder)]


def find(name: str) -> Path | None:
    """A file of theirs by its path, as ``config/fastdds.xml``; None where none has it."""
    return next((path for folder in shares() if os.path.isfile(path := folder / name)), None)


def _is_checkout(folder: Path) -> bool:
    """Whether a folder is the source tree: site-packages may hold folders of the same names that are of others."""
    return os.path.isfile(folder / "package.xml")
