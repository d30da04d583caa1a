"""An organised point cloud from a depth map: one point a pixel, in the camera's optical frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.picture import Picture

XYZ = ("x", "y", "z")
RGB, SIGMA = "rgb", "sigma"
"""Fields that points have, and may have besides: float32 each, or four bytes in a float's place."""

_TO_BGRA = {
    "rgb": cv2.COLOR_RGB2BGRA,
    "bgr": cv2.COLOR_BGR2BGRA,
    "rgba": cv2.COLOR_RGBA2BGRA,
    "grey": cv2.COLOR_GRAY2BGRA,
}

_BGR0 = np.frombuffer(b"\xff\xff\xff\0", np.uint32)[0]


class CloudMaker:
    """Makes clouds of one camera; its tables are computed once.

    Args:
        intrinsics: of the depth map.
        stride: every ``stride``-th pixel of every ``stride``-th row becomes a point.
        fields: of the points, in the order in which they lie: ``x``, ``y``, ``z``, and perhaps ``rgb`` and ``sigma``.
        slopes: x/z and y/z of every pixel, (height, width) each, where the depth map is no pinhole's.

    Attributes:
        shape: rows and columns of points, and fields.
    """

    def __init__(
        self,
        intrinsics: Intrinsics,
        stride: int = 1,
        fields: tuple[str, ...] = XYZ,
        slopes: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None,
    ) -> None:
        self.stride = stride
        self.fields = fields
        if slopes is None:
            self._slope_x, self._slope_y = intrinsics.slopes(stride)
        else:
            self._slope_x, self._slope_y = (each[::stride, ::stride].copy() for each in slopes)
        self.shape = (self._slope_y.shape[0], self._slope_x.shape[1], len(fields))
        self._every = (slice(None, None, stride), slice(None, None, stride)) if stride > 1 else None
        self._x, self._y, self._z = (np.empty(self.shape[:2], np.float32) for _ in XYZ)
        self._finite = np.empty(self.shape[:2], np.bool_)
        self._sigma = np.empty(self.shape[:2], np.float32) if SIGMA in fields else None
        self._packed = np.empty(self.shape[:2], np.uint32) if RGB in fields else None
        self._colours = np.empty((0, 0, 4), np.uint8)

    def write(
        self,
        depth: npt.NDArray[np.float32],
        colours: Picture | None,
        out: npt.NDArray[np.float32],
        sigma: npt.NDArray[np.float32] | None = None,
        *,
        finite: bool = False,
    ) -> None:
        """Write the points of a depth map.

        Args:
            depth: (height, width) [m], the size of the intrinsics; what is not finite has no point.
            colours: picture of the same size; None without the field ``rgb``.
            out: ``shape``, a number for each field: ``x``, ``y``, ``z`` [m], NaN where there is no point; ``rgb`` are
                the bytes b, g, r, 0 in a float's place, as PCL packs them. Were the fourth byte 255, the float would be
                NaN wherever red is 128 or more, and readers that leave out NaN would leave out the point.
            sigma: standard deviation of depth [m], the size of the depth map; None without the field ``sigma``.
            finite: whether all of depth is known to be finite, so that it need not be looked through.
        """
        every, z = self._every, self._z
        if every is not None:
            depth = depth[every]
        if not finite and not np.isfinite(depth, out=self._finite).all():
            np.copyto(z, depth)
            np.copyto(z, np.nan, where=np.logical_not(self._finite, out=self._finite))
        elif every is not None:
            np.copyto(z, depth)
        else:
            z = depth
        fields = [np.multiply(z, self._slope_x, out=self._x), np.multiply(z, self._slope_y, out=self._y), z]
        if self._packed is not None:
            assert colours is not None
            fields.append(self._pack(colours))
        if self._sigma is not None:
            assert sigma is not None
            if every is not None:
                np.copyto(self._sigma, sigma[every])
                sigma = self._sigma
            fields.append(sigma)
        # One pass over the points, whose numbers lie side by side, instead of one for each field.
        cv2.merge(fields, out)

    def _pack(self, colours: Picture) -> npt.NDArray[np.float32]:
        """Colours of the points: the bytes b, g, r, 0 in a float's place."""
        if self._colours.shape[:2] != colours.pixels.shape[:2]:
            self._colours = np.empty((colours.height, colours.width, 4), np.uint8)
        if colours.order == "bgra":
            np.copyto(self._colours, colours.pixels)
        else:
            cv2.cvtColor(colours.pixels, _TO_BGRA[colours.order], dst=self._colours)
        words = self._colours.view(np.uint32)[..., 0]
        assert self._packed is not None
        np.bitwise_and(words if self._every is None else words[self._every], _BGR0, out=self._packed)
        return self._packed.view(np.float32)
