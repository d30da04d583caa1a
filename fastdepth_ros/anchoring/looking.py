"""Answers and pictures looked at by a function of the bundle's compiled module.

:class:`~fastdepth_ros.anchoring.field.Field` does the same in numpy and OpenCV.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.field import NEAREST, Field
from fastdepth_ros.anchoring.layout import NUMBERS
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.arguments import ALIGNMENT, Arrays, Bind, Call, bound

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_BY_COLOUR = NUMBERS.index("by_colour")


class Look:
    """Writes what a field knows of each frame. An engine's picture, which is always in one place, is read there.

    Args:
        field: whose arrays the function writes.
        prior: of the weights.
        arrays: by name, of all functions.
        call: the function, bound to them.
        bind: binds it to another picture.
    """

    def __init__(self, field: Field, prior: Prior, arrays: Arrays, call: Call, bind: Bind) -> None:
        self._field, self._arrays, self._bind = field, arrays, bind
        self._numbers, self._metres = arrays["numbers"], arrays["metres"].reshape(field.shape)
        self._by_colour = 1 / (255 * prior.colour)
        self._numbers[NUMBERS.index("nearest")] = NEAREST
        self._copying = call
        self._known: tuple[Pixels, Call | None] | None = None

    def __call__(self, metres: Floats, picture: Pixels | None) -> None:
        """Look at an answer (rows, columns) [m], and its picture (2 rows, 2 columns, 3) or None."""
        np.copyto(self._metres, metres)
        self._field.coloured = picture is not None
        self._numbers[_BY_COLOUR] = 0.0 if picture is None else self._by_colour
        (self._copying if picture is None else self._look_at(picture))()

    def _look_at(self, picture: Pixels) -> Call:
        known = self._known
        if known is None or known[0] is not picture:
            known = self._known = picture, self._bound(picture)
        if known[1] is not None:
            return known[1]
        self._arrays["picture"][:] = picture.reshape(-1)
        return self._copying

    def _bound(self, picture: Pixels) -> Call | None:
        """The function that reads a picture where it is; None where that is not possible."""
        flags: Any = picture.flags
        if not (flags.c_contiguous and flags.writeable) or picture.ctypes.data % ALIGNMENT:
            return None
        name, arguments = layout.functions(*self._field.grid)["look"]
        made = bound(self._bind, name, arguments, {**self._arrays, "picture": picture})
        return None if made is None else made[0]
