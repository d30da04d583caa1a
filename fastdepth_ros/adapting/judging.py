"""Judging weights: errors where the truth is known, and how far answers moved where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fastdepth_ros.adapting.place import SQUARE, Sides
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.table import Network
from fastdepth_ros.pruning.learner import as_tensor, halved
from fastdepth_ros.training.augment import Ranges, TrainingView, focal_ratio, plain_view, random_view, seen_part
from fastdepth_ros.training.graph_network import GraphNetwork, graph_from_arrays
from fastdepth_ros.training.losses import SHALLOWEST

Arrays = Mapping[str, npt.NDArray[Any]]
Map = npt.NDArray[np.float32]

TOGETHER = 16
"""Pictures that are judged at a time."""

SEED = 77
"""Seed of the views by which weights are compared: others than those that are rehearsed."""


def errors(network: Network, arrays: Arrays, frames: Sequence[Frame], sides: Sides = SQUARE) -> dict[str, float]:
    """Means of delta1, RMSE [m] and absolute relative error over frames, corrected for their focal length.

    NaN where no depth is known.

    Args:
        network: the table.
        arrays: its weights, folded.
        frames: with depth.
        sides: height and width of the network's input [px].
    """
    rows = []
    for frame, answer in zip(frames, answers(network, arrays, frames, sides), strict=True):
        depth = plain_view(frame, *sides).depth
        if depth is not None and (depth > 0).any():
            rows.append(metrics.evaluate(answer, depth))
    names = ("delta1", "rmse_m", "abs_rel")
    return {name: float(np.mean([row[name] for row in rows])) if rows else float("nan") for name in names}


def answers(network: Network, arrays: Arrays, frames: Sequence[Frame], sides: Sides = SQUARE) -> Iterator[Map]:
    """The answer to the plain view of each frame, half its rows and columns [m], corrected for the focal length.

    Args:
        network: the table.
        arrays: its weights, folded.
        frames: of any shape.
        sides: height and width of the network's input [px].
    """
    model = _model(network, arrays)
    for start in range(0, len(frames), TOGETHER):
        some = frames[start : start + TOGETHER]
        views = [plain_view(frame, *sides) for frame in some]
        for frame, answer in zip(some, _answers(model, views, sides), strict=True):
            yield answer * np.float32(focal_ratio(frame, *seen_part(frame)))


class Drift:
    """Distance that answers move away from those of some weights, on views that need no truth.

    Args:
        network: the table.
        arrays: the weights, folded.
        frames: pictures, each of which gives one view.
        ranges: of the views.
        sides: height and width of the network's input [px].
    """

    def __init__(
        self, network: Network, arrays: Arrays, frames: Sequence[Frame], ranges: Ranges, sides: Sides = SQUARE
    ) -> None:
        self._network, self._sides = network, sides
        self._views = [
            random_view(frame, sides[0], ranges, np.random.default_rng([SEED, i]), sides[1])
            for i, frame in enumerate(frames)
        ]
        self._before = list(_answers(_model(network, arrays), self._views, sides))

    def of(self, arrays: Arrays) -> float:
        """Mean of abs(ln answer - ln answer before) over pixels and views."""
        after = _answers(_model(self._network, arrays), self._views, self._sides)
        return float(np.mean([_moved(old, new) for old, new in zip(self._before, after, strict=True)]))


def _moved(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32]) -> float:
    return float(np.abs(np.log(np.maximum(new, SHALLOWEST) / np.maximum(old, SHALLOWEST))).mean())


def _model(network: Network, arrays: Arrays) -> GraphNetwork:
    plain = {name: np.array(array, np.float32) for name, array in arrays.items()}
    model: GraphNetwork = graph_from_arrays(graph_of(network), plain)
    model.to(memory_format=torch.channels_last)
    return model


def _answers(model: GraphNetwork, views: Sequence[TrainingView], sides: Sides) -> Iterator[npt.NDArray[np.float32]]:
    """(height / 2, width / 2) metres for each view."""
    for start in range(0, len(views), TOGETHER):
        pixels: Tensor = as_tensor(np.stack([view.pixels for view in views[start : start + TOGETHER]]))
        with torch.inference_mode():
            yield from halved(model(pixels)[0], *sides)[:, 0].numpy()
