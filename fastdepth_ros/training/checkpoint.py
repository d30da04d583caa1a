"""The state of a training run on disk: written whole or not at all, read without running code from it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from fastdepth_ros.errors import WeightsError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors, numbers, strings, containers of them) in place of an older one, in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Contents of a file that :func:`save` wrote.

    Raises:
        WeightsError: the file is damaged or holds more than data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file can fail in any way
        raise WeightsError(f"{path} cannot be read ({error})", "Remove it to begin anew.") from error
    return state
