"""Buffers of the pipeline, by name: made when what they hold changes its size, and written again with every frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.pipeline.frame import OUTPUTS, Allocate

__all__ = ["Buffers", "zeros"]


def zeros(
    name: str,  # noqa: ARG001
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    fields: tuple[str, ...] = (),  # noqa: ARG001
) -> npt.NDArray[Any]:
    """The plain :data:`~.frame.Allocate`."""
    return np.zeros(shape, dtype)


class Buffers:
    """Keeps a buffer for each name.

    Args:
        allocate: makes those of :data:`~.frame.OUTPUTS`, so that a message can own their bytes.
    """

    def __init__(self, allocate: Allocate = zeros) -> None:
        self._allocate = allocate
        self._known: dict[str, tuple[object, npt.NDArray[Any]]] = {}

    def of(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, fields: tuple[str, ...] = ()
    ) -> npt.NDArray[Any]:
        """The buffer of that name, made anew when its shape, type or fields change."""
        key = (shape, dtype, fields)
        known = self._known.get(name)
        if known is None or known[0] != key:
            make = self._allocate if name in OUTPUTS else zeros
            known = self._known[name] = (key, make(name, shape, dtype, fields))
        return known[1]
