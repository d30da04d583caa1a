"""Mean inputs of convolutions whose weights are rounded, from pictures that are made up.

Rounded weights are off by the same in every picture, so an output is off by that times its mean inputs, wherever the
camera looks. Known means make up for it in the bias (bias correction; Nagel et al., "Data-Free Quantization Through
Weight Equalization and Bias Correction", ICCV 2019). A bundle has no pictures to learn them from. So the network is
shown dead leaves: rectangles of all sizes, one over the other, whose edges and sizes are distributed as in photographs
(Lee, Mumford and Huang, "Occlusion Models for Natural Images", IJCV 2001), in uneven light and with a sensor's noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fastdepth_ros.compiler.layout import Floats
from fastdepth_ros.network import INPUT_CHANNELS, Network
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.plain import evaluate_maps

Means = Mapping[str, npt.NDArray[np.float64]]

COLOURS = "colours"
"""Name of the picture's means; a depthwise convolution has a point in its own."""
PICTURES, SIDE = 4, 128
LEAVES = 250
NOISE = 0.03
"""Deviation of a sensor's noise, of a range of 1."""
DECIMALS = 3
"""Decimals to which means are kept, so that they are the same on every processor."""


def leaves(rng: np.random.Generator) -> Floats:
    """A picture (3, side, side) of dead leaves, 0 to 1."""
    picture = np.full((INPUT_CHANNELS, SIDE, SIDE), rng.uniform(0.2, 0.7))
    for _ in range(LEAVES):
        size = SIDE * np.clip(0.04 / rng.uniform(0.02, 1) ** 0.8, 0.03, 0.7) * np.exp(rng.normal(0, 0.5, 2))
        corner = rng.uniform(-0.2, 1.1, 2) * SIDE
        (top, left), (bottom, right) = corner.clip(0).astype(int), (corner + size).clip(0).astype(int)
        colour = rng.uniform(0.05, 0.95) * (1 + rng.normal(0, 0.15, INPUT_CHANNELS))
        picture[:, top:bottom, left:right] = colour[:, None, None]
    ramp = np.linspace(-0.25, 0.25, SIDE)
    light = 1 + rng.uniform(-1, 1) * ramp[:, None] + rng.uniform(-1, 1) * ramp
    return (picture * light + NOISE * rng.standard_normal(picture.shape)).clip(0, 1).astype(np.float32)


def sum_read_after(step: str) -> str:
    """Name of the sum that the step behind ``step`` reads: its answer, doubled, and a skip."""
    return f"{step}.add"


def input_means(network: Network, weights: Mapping[str, Floats]) -> Means:
    """Depthwise convolution -> means of its answer's channels, which the pointwise one behind it reads.

    COLOURS -> means of the pictures' bytes, which the first convolution reads.
    Doubled map plus skip, by its name in the graph -> means of its channels.
    """
    rng, graph = np.random.default_rng(0), graph_of(network)
    names = [conv.name for conv in network.convolutions if conv.kind == "depthwise"]
    names += [sum_read_after(step.name) for step in network.steps() if step.skip is not None]
    found: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in (COLOURS, *names)}
    for _ in range(PICTURES):
        picture = leaves(rng)
        maps = evaluate_maps(graph, weights, picture, names)
        for name in names:
            found[name].append(maps[name].mean(axis=(1, 2), dtype=np.float64))
        found[COLOURS].append(255 * picture.mean(axis=(1, 2), dtype=np.float64))
    return {name: np.mean(means, axis=0).round(DECIMALS) for name, means in found.items()}
