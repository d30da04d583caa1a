"""Pictures and truths of a batch as tensors, at the size at which a network is shown them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.training.augment import VIEW_SIZE


def as_tensor(pixels: npt.NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """(N, h, w, 3) uint8 -> (N, 3, h, w) float32 in 0..1, channels last in memory, as the network is."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255)


def resized(pixels: Tensor, sides: tuple[int, int]) -> Tensor:
    """(N, 3, h, w) pictures with other sides: means of pixels, or bilinear where a side grows."""
    if tuple(pixels.shape[-2:]) == sides:
        return pixels
    if max(sides) <= VIEW_SIZE:
        return functional.interpolate(pixels, size=sides, mode="area")
    return functional.interpolate(pixels, size=sides, mode="bilinear", align_corners=False)


def truth_for(depth: Tensor, truth: npt.NDArray[Any], device: str = "cpu") -> Tensor:
    """(N, h, w) true depths -> (N, 1, h', w') on the grid of an answer, by nearest neighbour [m]."""
    found = torch.from_numpy(truth).to(device)[:, None]
    if found.shape != depth.shape:
        found = functional.interpolate(found, size=depth.shape[-2:], mode="nearest")
    return found
