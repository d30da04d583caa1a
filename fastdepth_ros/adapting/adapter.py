"""Fine-tuning on a place, with rehearsal: on other pictures the answers ought to stay what they were.

Half of each batch are views of the place with its measured depth, half are computed rooms, whose target is what the
network answered there before ("learning without forgetting": Li and Hoiem, ECCV 2016). Normalisation is measured once
and kept, so that what is trained is what is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fastdepth_ros.adapting.place import Place
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.table import Network
from fastdepth_ros.pruning.learner import as_tensor, halved
from fastdepth_ros.pruning.unfold import unfolded
from fastdepth_ros.training import losses
from fastdepth_ros.training.augment import Ranges, focal_ratio, plain_view, random_view, seen_part
from fastdepth_ros.training.graph_network import GraphNetwork, folded_graph, graph_from_arrays
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.optimising import learning_rate
from fastdepth_ros.training.recipe import Phase

Arrays = dict[str, npt.NDArray[Any]]
Told = Callable[[int, int], object]

CALIBRATING = 32
"""Views that means and variances are measured on, half of the place and half of other places."""

TOGETHER = 16
"""Pictures that are judged at a time."""


@dataclass(frozen=True)
class Settings:
    """All that decides the weights, beside the pictures.

    Attributes:
        images: views that are shown, half of them of the place.
        size: side of the network's input [px].
        batch: views of a step.
        rate: learning rate at the beginning; a half cosine leads to a hundredth of it.
        rehearse: weight of the rehearsal's loss beside the place's.
        seed: of all chance.
        augment: ranges of the views.
    """

    images: int = 3200
    size: int = 224
    batch: int = 8
    rate: float = 5e-4
    rehearse: float = 1.0
    seed: int = 1
    augment: Ranges = field(default_factory=lambda: Ranges(scale=1.2, rotation=4.0, jitter=0.2, exposure=0.5))


class Adapter:
    """A network in fine-tuning.

    Args:
        network: the table.
        arrays: its weights, folded.
        place: frames of the place.
        others: pictures to rehearse with.
        settings: how to train.
    """

    def __init__(
        self, network: Network, arrays: Arrays, place: Place, others: Sequence[Frame], settings: Settings | None = None
    ) -> None:
        keep_freed_memory()
        self.settings, self.place, self.others = settings or Settings(), place, others
        self.graph = graph_of(network)
        self.before = graph_from_arrays(self.graph, arrays).to(memory_format=torch.channels_last)
        views = [self._view(i, i % 2 == 0)[0] for i in range(CALIBRATING)]
        self.model = unfolded(self.graph, arrays, torch.cat(views)).to(memory_format=torch.channels_last)

    def run(self, told: Told = lambda _done, _of: None) -> Arrays:
        """Train, and give the weights, folded, as float16 rounds them."""
        own = self.settings
        phase = Phase(own.images, own.size, own.batch, own.rate, own.rate / 100, warmup=own.batch * 10)
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=own.rate, weight_decay=0.0)
        self.model.eval()  # Normalisation stays as it was measured.
        for step in range(phase.steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(phase, step)
            loss = self._loss(CALIBRATING + step * own.batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimiser.step()
            told(step + 1, phase.steps)
        return {name: array.astype(np.float16) for name, array in folded_graph(self.model).items()}

    def _loss(self, first: int) -> Tensor:
        count = self.settings.batch // 2
        here = [self._view(first + i, of_place=True) for i in range(count)]
        there = torch.cat([self._view(first + count + i, of_place=False)[0] for i in range(count)])
        answers = halved(self.model(torch.cat([*(pixels for pixels, _ in here), there]))[0], self.settings.size)
        with torch.no_grad():
            taught = halved(self.before(there)[0], self.settings.size)
        truth = torch.stack([depth for _, depth in here])
        return _distance(answers[:count], truth) + self.settings.rehearse * _distance(answers[count:], taught)

    def _view(self, number: int, of_place: bool) -> tuple[Tensor, Tensor]:
        """Pixels (1, 3, size, size) and depth (1, size / 2, size / 2) of view ``number``; the same for a number."""
        rng = np.random.default_rng([self.settings.seed, number])
        frames = self.place.learned if of_place else self.others
        view = random_view(frames[int(rng.integers(len(frames)))], self.settings.size, self.settings.augment, rng)
        half = self.settings.size // 2
        depth = np.zeros((half, half), np.float32) if view.depth is None else view.depth
        return as_tensor(view.pixels[None]), torch.from_numpy(depth)[None]


def errors(network: Network, arrays: Arrays, frames: Sequence[Frame], size: int = 224) -> dict[str, float]:
    """Means of delta1, RMSE [m] and absolute relative error over frames, corrected for their focal length.

    Args:
        network: the table.
        arrays: its weights, folded.
        frames: with depth.
        size: side of the network's input [px].
    """
    graph = graph_of(network)
    model: GraphNetwork = graph_from_arrays(graph, {k: np.asarray(v, np.float32) for k, v in arrays.items()})
    model.to(memory_format=torch.channels_last)
    rows = []
    for start in range(0, len(frames), TOGETHER):
        part = frames[start : start + TOGETHER]
        views = [plain_view(frame, size) for frame in part]
        with torch.inference_mode():
            answers = halved(model(as_tensor(np.stack([view.pixels for view in views])))[0], size).numpy()
        for frame, view, answer in zip(part, views, answers, strict=True):
            if view.depth is not None and (view.depth > 0).any():
                rows.append(metrics.evaluate(answer[0] * focal_ratio(frame, *seen_part(frame), size), view.depth))
    return {name: float(np.mean([row[name] for row in rows])) for name in ("delta1", "rmse_m", "abs_rel")}


def _distance(depth: Tensor, truth: Tensor) -> Tensor:
    known = (truth > 0).float()
    return losses.l1(depth, truth, known) + losses.log_l1(depth, truth, known)
