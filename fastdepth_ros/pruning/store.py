"""State of a run on disk: arrays and a text in one file, the same bytes for the same state."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError, brief
from fastdepth_ros.files.reading import opened
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.importing.bounds import budget

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Date of every member: a state has no date."""

TEXT = "text.json"


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], text: Any = None) -> None:
    """Write an .npz, and beside its arrays a text, in place of an older one, in one move.

    Args:
        path: of the file.
        arrays: by name.
        text: whatever JSON can carry; None writes none.

    Raises:
        StorageError: it cannot be written.
    """
    make_parents(path.parent)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(arrays):
            with archive.open(zipfile.ZipInfo(f"{name}.npy", LONG_AGO), "w", force_zip64=True) as member:
                array = np.asarray(arrays[name], order="C")
                np.lib.format.write_array(member, array, allow_pickle=False)  # type: ignore[no-untyped-call]
        if text is not None:
            archive.writestr(zipfile.ZipInfo(TEXT, LONG_AGO), json.dumps(text))
    write_file(path, content.getvalue())


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], Any]:
    """Arrays and text of a file of :func:`write_arrays`; the text is None where there is none.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            most = budget(os.fstat(file.fileno()).st_size)
            if sum(member.file_size for member in archive.infolist()) > most:
                raise ValueError(f"it unpacks to more than {most} bytes")
            text = json.loads(archive.read(TEXT)) if TEXT in archive.namelist() else None
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files if name != TEXT}
    except Exception as error:  # a file of somebody else can fail in any way
        raise WeightsError(f"{path} cannot be read ({brief(repr(error), 300)})", "Remove it to begin anew.") from error
    return arrays, text
