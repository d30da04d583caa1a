"""The state of a training run on disk: written whole or not at all, read without running code from it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch

from fastdepth_ros.errors import FastDepthError, WeightsError, brief
from fastdepth_ros.files.reading import opened
from fastdepth_ros.files.writing import storing

LARGEST = 1 << 36
"""Bytes of a state."""

REMEDY = "Remove it to begin anew."


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors, numbers, strings, containers of them) in place of an older one, in one move.

    Raises:
        StorageError: it cannot be written; an older one is there still.
    """
    part = path.with_name(path.name + ".part")
    with storing(path, "Make room on the disk, and start it again: it goes on from what was kept before."):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                _write(state, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)  # half a checkpoint of hundreds of megabytes helps nobody on a full disk
            raise


class _Kept:
    """A file that keeps what the system said of a write: torch says something else instead."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.flush = file.flush
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = error
            raise


def _write(state: dict[str, Any], file: IO[bytes]) -> None:
    kept = _Kept(file)
    try:
        torch.save(state, kept)
    except RuntimeError:
        if kept.failure is not None:
            raise kept.failure from None
        raise


def load(path: Path) -> dict[str, Any]:
    """Contents of a file that :func:`save` wrote.

    Raises:
        WeightsError: the file is damaged, holds more than data, or is packed.
    """
    try:
        with opened(path, LARGEST) as file:
            _check_plain(file)
            state = torch.load(file, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(f"it holds a {type(state).__name__}")
    except Exception as error:  # a damaged or hostile file can fail in any way
        raise WeightsError(f"{path} cannot be read ({brief(error)})", REMEDY) from error
    return state


def _check_plain(file: Any) -> None:
    """Refuse an archive that is packed: torch packs none, and unpacks whatever it is given, to any size."""
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > size:
            raise ValueError(f"it unpacks to more than its {size} bytes")
    file.seek(0)


@contextmanager
def taken_up(path: Path) -> Iterator[None]:
    """Take up a state that was loaded: whatever does not fit, it is none of this run.

    Raises:
        WeightsError: something was raised that is no error of ours.
    """
    try:
        yield
    except FastDepthError:
        raise
    except Exception as error:  # of tables and tensors that somebody else made
        raise WeightsError(f"{path} is no state of this run ({brief(repr(error), 300)})", REMEDY) from error
