"""Common parts of all formats in which other runtimes want the network.

All of them compute what the compiled module computes: their answer is the map of half the input's size, because the
last upsampling only repeats numbers. Unlike the module, which reads bytes, they read float32 of 0..1, laid out as each
likes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.evaluation.benchmark.names import TABLE, WEIGHTS
from fastdepth_ros.network import Network


def read(folder: Path) -> tuple[Network, Mapping[str, Any]]:
    """The network and its weights, as the benchmark put them there."""
    with np.load(folder / WEIGHTS) as arrays:
        weights = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    return Network.from_json(json.loads((folder / TABLE).read_text(encoding="utf-8"))), weights


def floats(picture: Any) -> Any:
    """A picture (height, width, 3) uint8 RGB as most of them read it: (1, 3, height, width) float32 of 0..1."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255))
