"""JPEG files as cameras and phones write them, and as bad cables leave them."""

import struct

import cv2
import numpy as np


def jpeg(pixels: np.ndarray, orientation: int | None = None) -> bytes:
    """A JPEG of (height, width, 3) BGR pixels; with EXIF's orientation if one is named."""
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    if orientation is None:
        return data
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1)
    tiff += struct.pack("<HHII", 0x0112, 3, 1, orientation) + struct.pack("<I", 0)
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
