"""Finds model bundles: those that ship with the package, those of a user, and the reference weights.

A bundle is named by its folder, or by its name where it ships with the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from fastdepth_ros import places
from fastdepth_ros.errors import BundleError
from fastdepth_ros.files.names import check_text
from fastdepth_ros.files.reading import sha256
from fastdepth_ros.runtime.bundle import MANIFEST, Bundle, is_bundle
from fastdepth_ros.runtime.storage import cache_dir, trusted, writable_cache

__all__ = ["DEFAULT", "find_bundle", "list_bundles"]

DEFAULT = "fastdepth-indoor"
REFERENCE = "fastdepth-reference"
"""Name of the authors' own weights, for comparison, where a reference folder has them."""

VARIABLE = "FASTDEPTH_REFERENCE"
REFERENCE_WEIGHTS = Path("weights", "fastdepth_pruned_fp16.npz")
REFERENCE_INT8 = Path("weights", "fastdepth_224_int8.tflite")
"""Weights of the pruned network, quantised by others for TensorFlow Lite."""

BUNDLES = "bundles"
"""The folder in the cache for bundles that can be made again."""


def model_folders() -> list[Path]:
    """Folders that may hold bundles: the checkout's, then those of every installation."""
    return [folder for share in places.shares() if os.path.isdir(folder := share / "models")]


def list_bundles() -> list[Path]:
    """The folders of all bundles that ship with the package, unopened, by name."""
    found = {path.parent.name: path.parent for folder in model_folders() for path in folder.glob(f"*/{MANIFEST}")}
    return [found[name] for name in sorted(found)]


def find_bundle(model: str | Path = DEFAULT) -> Bundle:
    """Open the bundle that ``model`` names: a folder, or the name of one that ships with the package.

    Raises:
        BundleError: there is none, or it was altered.
        SettingError: ``model`` is neither a name nor a path.
    """
    check_text("model", str(model))
    if os.path.isdir(model):
        return Bundle.open(model)
    shipped = {path.name: path for path in list_bundles()}
    if str(model) in shipped:
        return Bundle.open(shipped[str(model)])
    if str(model) == REFERENCE and reference_weights() is not None:
        return reference_bundle()
    known = ", ".join(shipped) or "none"
    remedy = (
        f"Name the folder of a bundle, or one that ships with the package ({known}); `fastdepth import` makes a bundle"
        f" of weights that you have, and {VARIABLE} may name a folder with {REFERENCE_WEIGHTS}."
    )
    raise BundleError(f"there is no model {str(model)!r}", remedy)


def reference_weights() -> Path | None:
    """The file of the authors' weights in the folder that ``FASTDEPTH_REFERENCE`` names; None where there is none."""
    return _reference(REFERENCE_WEIGHTS)


def reference_int8() -> Path | None:
    """The file of the authors' weights in int8, for TensorFlow Lite, beside the other; None where there is none."""
    return _reference(REFERENCE_INT8)


def _reference(name: Path) -> Path | None:
    folder = os.environ.get(VARIABLE)
    file = Path(folder) / name if folder else None
    return file if file is not None and os.path.isfile(file) else None


def reference_bundle() -> Bundle:
    """The authors' weights as a bundle, made once in the cache folder.

    Raises:
        BundleError: there are no reference weights here.
        StorageError: neither the cache nor a temporary folder can be written.
    """
    weights = reference_weights()
    if weights is None:
        raise BundleError("there are no reference weights", f"Set {VARIABLE} to a folder with {REFERENCE_WEIGHTS}.")
    name = f"{REFERENCE}-{sha256(weights)[:16]}"
    root = cache_dir()
    kept = root / BUNDLES / name if root else None
    if kept and trusted(kept) and is_bundle(kept):
        return Bundle.open(kept)
    folder = writable_cache(BUNDLES) / name
    if not is_bundle(folder):
        # Imported here, because a node that runs a shipped bundle needs no importer.
        from fastdepth_ros.importing import import_weights

        # Two processes that start together make the same; either's is whole.
        import_weights(weights, folder, REFERENCE)
    return Bundle.open(folder)
