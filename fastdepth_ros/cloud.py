"""An organised point cloud from a depth map: one point a pixel, in the camera's optical frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.picture import Picture

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
    """

    def __init__(self, intrinsics: Intrinsics, stride: int = 1) -> None:
        self.intrinsics = intrinsics
        self.stride = stride
        self._slope_x, self._slope_y = intrinsics.slopes(stride)
        self.shape = (self._slope_y.shape[0], self._slope_x.shape[1])
        self._z = np.empty(self.shape, np.float32)
        self._finite = np.empty(self.shape, np.bool_)
        self._colours = np.empty((0, 0, 4), np.uint8)

    def write(
        self,
        depth: npt.NDArray[np.float32],
        colours: Picture | None,
        out: npt.NDArray[np.float32],
        sigma: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Write the points of a depth map.

        Args:
            depth: (height, width) [m], the size of the intrinsics; what is not finite has no point.
            colours: picture of the same size, or None.
            out: (``*shape``, 3 to 5): x, y, z [m], NaN where there is no point; with colours their bytes b, g, r, 0 in
                a float's place, as PCL packs them; with ``sigma`` that, last. Were the fourth byte 255, the float would
                be NaN wherever red is 128 or more, and readers that leave out NaN would leave out the point.
            sigma: standard deviation of depth [m], the size of the depth map, or None.
        """
        # Two contiguous scratch maps are faster than reading the strided depth four times.
        np.copyto(self._z, depth[:: self.stride, :: self.stride])
        np.isfinite(self._z, out=self._finite)
        np.copyto(self._z, np.nan, where=np.logical_not(self._finite, out=self._finite))
        np.multiply(self._z, self._slope_x, out=out[..., 0])
        np.multiply(self._z, self._slope_y, out=out[..., 1])
        out[..., 2] = self._z
        if colours is not None:
            packed = self._packed(colours)[:: self.stride, :: self.stride]
            np.bitwise_and(packed, _BGR0, out=out.view(np.uint32)[..., 3])
        if sigma is not None:
            out[..., -1] = sigma[:: self.stride, :: self.stride]

    def _packed(self, colours: Picture) -> npt.NDArray[np.uint32]:
        """The picture as (height, width) words whose bytes are b, g, r, a."""
        if self._colours.shape[:2] != colours.pixels.shape[:2]:
            self._colours = np.empty((colours.height, colours.width, 4), np.uint8)
        if colours.order == "bgra":
            np.copyto(self._colours, colours.pixels)
        else:
            cv2.cvtColor(colours.pixels, _TO_BGRA[colours.order], dst=self._colours)
        return self._colours.view(np.uint32)[..., 0]
