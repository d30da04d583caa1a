"""Where model bundles are found: those that ship with the package, those of a user, and the reference weights.

A bundle is named by its folder, or by its name where it ships with the package.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fastdepth_ros.errors import BundleError
from fastdepth_ros.runtime.bundle import MANIFEST, Bundle

DEFAULT = "fastdepth-indoor"


def model_folders() -> list[Path]:
    """Folders that may hold bundles: the checkout's, then those of every installation on the ament prefix path."""
    checkout = Path(__file__).resolve().parent.parent / "models"
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    installed = [Path(prefix) / "share" / "fastdepth_ros" / "models" for prefix in prefixes if prefix]
    return [folder for folder in dict.fromkeys([checkout, *installed]) if folder.is_dir()]


def list_bundles() -> list[Path]:
    """The folders of all bundles that ship with the package, unopened, by name."""
    found = {path.parent.name: path.parent for folder in model_folders() for path in folder.glob(f"*/{MANIFEST}")}
    return [found[name] for name in sorted(found)]


def find_bundle(model: str | Path = DEFAULT) -> Bundle:
    """Open the bundle that ``model`` names: a folder, or the name of one that ships with the package.

    Raises:
        BundleError: there is none, or it was altered.
    """
    if Path(model).is_dir():
        return Bundle.open(model)
    shipped = {path.name: path for path in list_bundles()}
    if str(model) in shipped:
        return Bundle.open(shipped[str(model)])
    known = ", ".join(shipped) or "none"
    remedy = f"Name the folder of a bundle, or one that ships with the package ({known})."
    raise BundleError(f"there is no model {str(model)!r}", remedy)
