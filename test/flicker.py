"""Flicker as a network makes it."""

from __future__ import annotations

import cv2
import numpy as np


def errors(rng, sigma, shape=(112, 112)):
    """Errors in log depth: each part of an answer has its own, and single cells have a twentieth of that."""
    parts = rng.normal(0, 1, [max(2, side // 12) for side in shape]).astype(np.float32)
    smooth = cv2.resize(parts, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.float32(sigma) * (smooth / smooth.std() + rng.normal(0, 0.05, shape).astype(np.float32))
