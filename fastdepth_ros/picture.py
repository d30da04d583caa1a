"""A picture as the pipeline takes it: 8-bit pixels and the order of their channels."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import ImageError

__all__ = ["Order", "Picture"]

Order = Literal["rgb", "bgr", "rgba", "bgra", "grey"]

CHANNELS: dict[str, int] = {"rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4, "grey": 1}


class Picture(NamedTuple):
    """Pixels of one camera picture, usually a view on the bytes that the camera sent.

    Attributes:
        pixels: uint8, (rows, columns, channels), or (rows, columns) for ``grey``. Rows may be padded; the pixels of a
            row lie side by side.
        order: what the channels are.
        reduction: the pixels are means of ``reduction`` x ``reduction`` pixels of the camera's picture, from its first.
        size: (width, height) of the camera's picture; None where that is the pixels' own.
    """

    pixels: npt.NDArray[np.uint8]
    order: Order
    reduction: int = 1
    size: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        """Width of the camera's picture [px]."""
        return self.size[0] if self.size else int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height of the camera's picture [px]."""
        return self.size[1] if self.size else int(self.pixels.shape[0])

    def check(self) -> None:
        """Hold the shape against the order, and against the camera's picture.

        Raises:
            ImageError: the pixels are no 8-bit picture of at least 2x2 pixels with the channels of their order, or not
                as many as their reduction leaves.
        """
        shape = self.pixels.shape
        channels = 1 if len(shape) == 2 else shape[-1]
        if self.order not in CHANNELS:
            raise ImageError(f"a picture cannot be of order {self.order!r}", f"Use one of {', '.join(CHANNELS)}.")
        if self.pixels.dtype != np.uint8 or len(shape) != (2 if self.order == "grey" else 3):
            cause = f"a picture of order {self.order} cannot be {self.pixels.dtype} of shape {shape}"
            raise ImageError(cause, "Give uint8 of (height, width, channels), or (height, width) for grey.")
        if channels != CHANNELS[self.order]:
            raise ImageError(f"a {self.order} picture has {channels} channels", f"It needs {CHANNELS[self.order]}.")
        if min(shape[:2]) < 2:
            raise ImageError(f"a picture of {shape[1]}x{shape[0]} pixels shows nothing", "Check the camera driver.")
        rows, columns = -(-self.height // self.reduction), -(-self.width // self.reduction)
        if shape[:2] != (rows, columns):
            cause = f"a {self.width}x{self.height} picture reduced {self.reduction} times is no {shape[1]}x{shape[0]}"
            raise ImageError(cause, f"It has {columns}x{rows} pixels, rounded up.")
