"""NumPy archives: arrays named as in the network table, batch normalisation already folded."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an ``.npz`` file; pickled objects in it are refused, so that no code is run.

    Raises:
        WeightsError: the file is no archive of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        cause = f"{path} cannot be read as a NumPy archive ({error})"
        raise WeightsError(cause, "Save it again with numpy.savez, arrays only.") from error
