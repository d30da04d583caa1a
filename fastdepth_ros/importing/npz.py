"""NumPy archives: arrays named as in the network table, batch normalisation already folded."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from fastdepth_ros.importing.bounds import budget, check_count, foreign, read_file

SUFFIX = ".npy"
HEADERS: dict[tuple[int, int], Any] = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an ``.npz`` file; pickled objects in it are refused, so that no code is run.

    Raises:
        WeightsError: the file is no archive of plain arrays.
    """
    with foreign(path, "a NumPy archive", "Save it again with numpy.savez, arrays only."):
        return _arrays(read_file(path))


def _arrays(data: bytes) -> dict[str, npt.NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        check_count(len(members), "arrays")
        if sum(member.file_size for member in members) > budget(len(data)):
            raise ValueError(f"it unpacks to more than {budget(len(data))} bytes")
        return {member.filename.removesuffix(SUFFIX): _array(archive, member) for member in members}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """An array whose header agrees with the bytes behind it."""
    if member.compress_type not in METHODS:
        raise ValueError(f"compression method {member.compress_type}")
    content = archive.read(member)
    file = io.BytesIO(content)
    version = npy.read_magic(file)  # type: ignore[no-untyped-call]
    shape, by_columns, dtype = HEADERS[version](file)
    if dtype.kind not in "fiu":
        raise ValueError(f"it holds {dtype} where numbers belong")
    numbers = np.frombuffer(content, dtype, offset=file.tell())
    if numbers.size != math.prod(shape):
        raise ValueError(f"it holds {numbers.size} numbers where its header says {shape}")
    return numbers.reshape(shape, order="F" if by_columns else "C")
