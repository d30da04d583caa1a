"""Depth images as other programs record them: raw 16UC1 or 32FC1, or ``compressedDepth`` of either, as PNG or RVL."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec import compressed_depth
from fastdepth_ros.errors import ImageError, RecordingError, shortened
from fastdepth_ros.millimetres import millimetres

FORMAT_16UC1 = compressed_depth.FORMAT.format(encoding="16UC1", method="png")
REMEDY = "Record depth as 16UC1 in millimetres, 32FC1 in metres, or compressedDepth with PNG or RVL."

Depth = npt.NDArray[np.float32]


def decode_depth(message: Any) -> Depth:
    """The depth (height, width) [m] that a sensor_msgs Image or CompressedImage holds; NaN where it holds none.

    Raises:
        RecordingError: it is no depth image, or broken.
    """
    if hasattr(message, "format"):
        return _decode_compressed(str(message.format), np.asarray(message.data, np.uint8))
    kinds = {"16UC1": "u2", "mono16": "u2", "32FC1": "f4"}
    if message.encoding not in kinds:
        raise RecordingError(f"a ground truth of encoding {shortened(message.encoding)} is no depth", REMEDY)
    kind = np.dtype((">" if message.is_bigendian else "<") + kinds[message.encoding])
    data = np.ascontiguousarray(message.data)
    height, width, step = int(message.height), int(message.width), int(message.step)
    if step < width * kind.itemsize or data.nbytes < step * (height - 1) + width * kind.itemsize or not height:
        cause = f"a depth image of {width}x{height} with step {step} cannot have {data.nbytes} bytes"
        raise RecordingError(cause, "Record it again.")
    return metres(np.ndarray((height, width), kind, data.data, 0, (step, kind.itemsize)))


def encode_depth(depth: npt.NDArray[np.float64]) -> bytes:
    """Depth [m] as the data of a CompressedImage of format :data:`FORMAT_16UC1`: whole millimetres, 0 for none."""
    return compressed_depth.encode(millimetres(depth), "png")


def metres(values: npt.NDArray[Any]) -> Depth:
    """Whole millimetres or float metres as float32 metres; NaN where there is no depth (0, negative, not finite)."""
    depth = values.astype(np.float32) / np.float32(1000) if values.dtype.kind == "u" else values.astype(np.float32)
    depth[~(np.isfinite(depth) & (depth > 0))] = np.nan
    return depth


def _decode_compressed(form: str, data: npt.NDArray[np.uint8]) -> Depth:
    try:
        return metres(compressed_depth.decode(form, data, "a ground truth"))
    except ImageError as error:
        raise RecordingError(error.cause, REMEDY) from error
