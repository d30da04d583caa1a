"""A model bundle: a folder with a manifest, weights and a model card, and the proof that none of them was altered.

models/<name>/manifest.json         what this model is, and the sha256 of every other file
              weights.safetensors   arrays named as in the network table (float32 or float16)
              MODEL_CARD.md
              modules/<target>/     compiled modules that ship with it

What the manifest does not name is none of the bundle's, and never read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from fastdepth_ros.errors import BundleError, FastDepthError, brief
from fastdepth_ros.files.reading import LARGEST_TEXT, parse_json, read, sha256
from fastdepth_ros.files.writing import new_folder, storing, write_file
from fastdepth_ros.runtime.manifest import CARD, MANIFEST, WEIGHTS, Manifest

__all__ = ["CARD", "MANIFEST", "WEIGHTS", "Bundle", "Manifest", "seal", "sha256", "write_bundle"]

LARGEST_BUNDLE = 2**30
"""Bytes of all its files; one with ten modules has 60 MB."""

LONGEST_HEADER = 2**18
"""Bytes of the header of the weights; a network's 76 arrays take 6,000."""


@dataclass(frozen=True)
class Bundle:
    """A model bundle whose files were held against their manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """Read the manifest and check every file that it names.

        Raises:
            BundleError: the folder, the manifest or a file is missing, or a file's sha256 is another.
        """
        folder = Path(path)
        file = folder / MANIFEST
        if not os.path.isfile(file):
            cause = f"{folder} is no model bundle: it holds no {MANIFEST}"
            raise BundleError(cause, "Name a folder that `fastdepth import` made, or one of `fastdepth models list`.")
        try:
            text = parse_json(read(file, LARGEST_TEXT))
        except (OSError, ValueError) as error:
            raise BundleError(f"{file} cannot be read ({brief(repr(error), 300)})", "Copy the bundle again.") from error
        bundle = cls(folder, Manifest.from_json(text, file))
        bundle.verify()
        return bundle

    def verify(self) -> None:
        """Check the sha256 of every file that the manifest names.

        Raises:
            BundleError: a file is missing or was altered, or there are more bytes than a bundle has.
        """
        self._check_size()
        for name, digest in (self.manifest.files or {}).items():
            file = self._file(name)
            try:
                found = sha256(file)
            except OSError as error:
                raise _unreadable(file, error) from error
            if found != digest:
                raise _altered(file)

    def _check_size(self) -> None:
        total = 0
        for name in self.manifest.files or {}:
            file = self._file(name)
            try:
                total += file.stat().st_size
            except OSError as error:
                raise _unreadable(file, error) from error
        if total > LARGEST_BUNDLE:
            cause = f"the files of {self.path} have {total} bytes, more than {LARGEST_BUNDLE}"
            raise BundleError(cause, "Do not use this bundle.")

    def names(self, name: str) -> bool:
        """Whether the manifest names a file, by its path below the bundle's folder."""
        return name in (self.manifest.files or {})

    def read(self, name: str) -> bytes:
        """Contents of a file of the bundle, held against the manifest once more: it may have changed meanwhile.

        Raises:
            BundleError: the manifest does not name it, it is missing, or was altered.
        """
        if not self.names(name):
            raise BundleError(f"{self.path / MANIFEST} does not name {name}", "Copy the bundle again.")
        file = self._file(name)
        try:
            content = read(file)
        except OSError as error:
            raise _unreadable(file, error) from error
        if hashlib.sha256(content).hexdigest() != (self.manifest.files or {})[name]:
            raise _altered(file)
        return content

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights in float32, held against the network table.

        Raises:
            BundleError: the file cannot be read.
            WeightsError: an array does not fit its layer.
        """
        content, file = self.read(WEIGHTS), self.path / WEIGHTS
        header = int.from_bytes(content[:8], "little")
        if header > LONGEST_HEADER:
            raise BundleError(f"{file} has a header of {header} bytes", "Do not use this bundle.")
        try:
            arrays = load(content)
            self.manifest.check_weights(arrays)
            with np.errstate(over="ignore"):  # What is too large for float32 becomes infinite, and is refused.
                plain = {name: array.astype(np.float32) for name, array in arrays.items()}
            self.manifest.check_weights(plain)
            return plain
        except FastDepthError:
            raise
        except Exception as error:  # bytes of a stranger can fail in any way
            raise BundleError(f"{file} cannot be read ({brief(repr(error), 300)})", "Copy the bundle again.") from error

    @property
    def weights_sha256(self) -> str:
        return (self.manifest.files or {})[WEIGHTS]

    def _file(self, name: str) -> Path:
        file = self.path / name
        if not os.path.isfile(file):
            missing = "is no file" if os.path.lexists(file) else "is missing"
            raise BundleError(f"{file} {missing}", "Copy the bundle again.")
        return file


def _unreadable(file: Path, error: OSError) -> BundleError:
    return BundleError(f"{file} cannot be read ({error.strerror or error})", "Copy the bundle again.")


def _altered(file: Path) -> BundleError:
    return BundleError(f"{file} was altered: its sha256 is not the manifest's", "Copy the bundle again.")


def is_bundle(folder: Path) -> bool:
    """Whether a folder holds a bundle, whole or not."""
    return os.path.isfile(folder / MANIFEST)


def is_replaceable(folder: Path) -> bool:
    """Whether a folder holds a bundle, or nothing but a model card that waits for one."""
    return is_bundle(folder) or {path.name for path in folder.iterdir()} <= {CARD}


def write_bundle(
    folder: Path, manifest: Manifest, weights: Mapping[str, npt.NDArray[Any]], card: str | None = None
) -> Bundle:
    """Write a bundle, and open it again. A bundle that is there stays as it is until the new one is whole.

    Other files of a bundle that is there stay, but modules that were compiled of other weights.

    Args:
        folder: made where it does not exist; else it holds a bundle, or nothing but a model card.
        manifest: ``files`` is filled in here.
        weights: arrays as in the network table, float32 or float16, stored as they are.
        card: the text of the model card; None keeps the one that is there.

    Raises:
        WeightsError: an array does not fit its layer.
        SettingError: the folder holds something else.
        StorageError: it cannot be written; what was there is there still.
    """
    manifest.check_weights(weights)
    if not manifest.is_graph:  # a graph was held against itself when it was made
        manifest.table.check()
    replace(manifest, files={WEIGHTS: "0" * 64}).check(folder / MANIFEST)
    folder = Path(os.path.realpath(folder))
    arrays = save({name: np.ascontiguousarray(array) for name, array in weights.items()})
    with new_folder(folder, is_replaceable) as draft:
        names = _keep(folder, draft, hashlib.sha256(arrays).hexdigest())
        # Not save_file, whose files nobody but their owner may read: another user may run the robot.
        write_file(draft / WEIGHTS, arrays)
        if card is not None:
            write_file(draft / CARD, card)
        seal(draft, manifest, {*names, WEIGHTS, *([CARD] if (draft / CARD).is_file() else [])})
    return Bundle.open(folder)


def _keep(old: Path, new: Path, digest: str) -> set[str]:
    """Have all that stays of an old bundle in the new folder as well, without copying it.

    Returns:
        Names of those files that the old manifest named.
    """
    if not old.is_dir():
        return set()
    shutil.copytree(old, new, symlinks=True, copy_function=_link, dirs_exist_ok=True)
    (new / MANIFEST).unlink(missing_ok=True)
    (new / WEIGHTS).unlink(missing_ok=True)
    try:
        named = Bundle.open(old).manifest.files or {}
    except BundleError:
        return set()
    stale = {name for name in named if name.startswith("modules/")} if named[WEIGHTS] != digest else set()
    for name in stale:
        (new / name).unlink()
        with storing(new):
            if not any((new / name).parent.iterdir()):
                (new / name).parent.rmdir()
    return set(named) - stale


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # Another user's file, or a file system without links.
        if os.path.islink(source) or os.path.isfile(source):
            shutil.copy2(source, target, follow_symlinks=False)


def seal(folder: Path, manifest: Manifest, names: Iterable[str] | None = None) -> Bundle:
    """Write the manifest with the sha256 of files that are in the folder now, and open the bundle.

    Args:
        folder: of the bundle.
        manifest: ``files`` is filled in here.
        names: of the files, below the folder; None takes all, for a folder that nobody else has written into.

    Raises:
        StorageError: the manifest cannot be written; an older one is there still.
    """
    found = names if names is not None else (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {name: sha256(folder / name) for name in sorted(set(found) - {MANIFEST})}
    sealed = replace(manifest, files=files)
    sealed.check(folder / MANIFEST)
    write_file(folder / MANIFEST, json.dumps(sealed.to_json(), indent=2) + "\n")
    return Bundle.open(folder)
