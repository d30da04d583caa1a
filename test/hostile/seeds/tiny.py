"""The smallest network that the table allows: one channel everywhere, so that its files are cheap to write and read."""

from __future__ import annotations

from functools import cache

import numpy as np

from fastdepth_ros.network import Network

TINY = Network("tiny", (1,) * 14, (1,) * 5)


@cache
def weights() -> dict[str, np.ndarray]:
    """Its weights."""
    found = {}
    for conv in TINY.convolutions:
        found[f"{conv.name}.weight"] = np.full(conv.weight_shape, 0.5, np.float32)
        found[f"{conv.name}.bias"] = np.zeros(conv.outputs, np.float32)
    return found
