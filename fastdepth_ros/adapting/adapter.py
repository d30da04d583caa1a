"""Fine-tuning on a place, with rehearsal: on other pictures the answers ought to stay what they were.

A quarter of each batch are views of the place with its depth, each pixel weighted by how sure that is; the rest are
computed rooms, whose target is what the network answered there before ("learning without forgetting": Li and Hoiem,
ECCV 2016). Normalisation is measured once and kept, so that what is trained is what is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.adapting.place import SQUARE, Place, Sides
from fastdepth_ros.adapting.tint import tinted
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.graph import weighted
from fastdepth_ros.network.table import Network
from fastdepth_ros.pruning.learner import as_tensor, halved
from fastdepth_ros.training import losses
from fastdepth_ros.training.augment import Ranges, TrainingView, random_view
from fastdepth_ros.training.graph_network import folded_graph, graph_from_arrays
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.optimising import learning_rate
from fastdepth_ros.training.recipe import Phase
from fastdepth_ros.training.unfold import unfolded

Arrays = dict[str, npt.NDArray[Any]]
Told = Callable[[int, int], object]
Again = Callable[[Arrays], Sequence[Frame]]
"""The frames to learn from, taught with the weights so far."""

CALIBRATING = 32
"""Views that means and variances are measured on, half of the place and half of other places."""

DEEP = ("conv10", "conv11", "conv12", "conv13", "decode_conv1")
"""Layers that learn: those that see the whole room. The last ones would first learn one factor for all pictures, and
the first ones see edges and textures, which are the same everywhere."""

ALL = ("",)

WATCHED = ("conv5.pw", "conv11.pw", "conv13.pw", "decode_conv2.pw", "decode_conv4.pw")
"""Layers whose maps are rehearsed, too."""


SUREST = np.float32(0.05)
"""Standard deviation, as a share of depth, up to which a pixel counts in full; others count in inverse proportion."""


@dataclass(frozen=True)
class Settings:
    """All that decides the weights, beside the pictures.

    Attributes:
        images: views that are shown.
        sides: height and width of the network's input [px].
        batch: views of a step.
        here: those of them that show the place; the others are rehearsed.
        rate: learning rate at the beginning; a half cosine leads to a hundredth of it.
        rehearse: weight of the rehearsal's loss beside the place's.
        maps: weight of how far the maps of :data:`WATCHED` are from those before, where it is rehearsed.
        layers: what the names of layers that learn begin with.
        rounds: after each of which the frames are taught again, where they are taught by the network's own answers.
        tinted: share of the rehearsed views that get the colours of a picture of the place.
        seed: of all chance.
        augment: ranges of the place's views.
        others: ranges of the rehearsed views: wide, for answers are to stay on pictures that are like neither.
    """

    images: int = 3200
    sides: Sides = SQUARE
    batch: int = 8
    here: int = 2
    rate: float = 5e-4
    rehearse: float = 3.0
    maps: float = 0.0
    layers: tuple[str, ...] = DEEP
    rounds: int = 4
    tinted: float = 0.5
    seed: int = 1
    augment: Ranges = field(default_factory=lambda: Ranges(scale=1.2, rotation=4.0, jitter=0.2, exposure=0.5))
    others: Ranges = field(default_factory=lambda: Ranges(scale=2.0, rotation=8.0, jitter=0.4, exposure=1.0, light=1.0))


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
        self.settings, self.learned, self.others = settings or Settings(), place.learned, others
        self.graph = graph_of(network)
        self.before = graph_from_arrays(self.graph, arrays).to(memory_format=torch.channels_last)
        views = [self._view(i, i % 2 == 0)[0] for i in range(CALIBRATING)]
        self.model = unfolded(self.graph, arrays, torch.cat(views)).to(memory_format=torch.channels_last)

    def run(self, told: Told = lambda _done, _of: None, again: Again | None = None) -> Arrays:
        """Train, and give the weights, folded, as float16 rounds them.

        Args:
            told: how many steps are done, and of how many.
            again: gives better frames after each round; None leaves them as they are.
        """
        own = self.settings
        phase = Phase(own.images, own.sides[0], own.batch, own.rate, own.rate / 100, own.batch * 10, width=own.sides[1])
        for node in weighted(self.graph):
            self.model.layer(node.name).requires_grad_(node.name.startswith(own.layers))
        learning = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(learning, lr=own.rate, weight_decay=0.0)
        self.model.eval()  # Normalisation stays as it was measured.
        rounds = {phase.steps * i // own.rounds for i in range(1, own.rounds)} if again else set()
        for step in range(phase.steps):
            if again and step in rounds:
                self.learned = tuple(again(self._arrays()))
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(phase, step)
            loss = self._loss(CALIBRATING + step * own.batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimiser.step()
            told(step + 1, phase.steps)
        return self._arrays()

    def _arrays(self) -> Arrays:
        return {name: array.astype(np.float16) for name, array in folded_graph(self.model).items()}

    def _loss(self, first: int) -> Tensor:
        own, watched = self.settings, WATCHED if self.settings.maps else ()
        views = [self._view(first + i, of_place=i < own.here) for i in range(own.batch)]
        pixels = torch.cat([view[0] for view in views])
        answers, maps = self.model(pixels, watched)
        with torch.no_grad():
            taught, kept = self.before(pixels[own.here :], watched)
        answers, taught = halved(answers, *own.sides), halved(taught, *own.sides)
        truth, weights = (torch.stack([each[i] for each in views[: own.here]]) for i in (1, 2))
        loss = _distance(answers[: own.here], truth, weights)
        loss = loss + own.rehearse * _distance(answers[own.here :], taught, (taught > 0).float())
        for name in watched:
            spread = kept[name].var(dim=(0, 2, 3), correction=0).mean().clamp(min=1e-12)
            loss = loss + own.maps * functional.mse_loss(maps[name][own.here :], kept[name]) / spread
        return loss

    def _view(self, number: int, of_place: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (1, 3, h, w), depth and weight (1, h / 2, w / 2) of a view; the same for a number."""
        rng = np.random.default_rng([self.settings.seed, number])
        own, frames = self.settings, self.learned if of_place else self.others
        ranges = own.augment if of_place else own.others
        height, width = own.sides
        view = random_view(frames[int(rng.integers(len(frames)))], height, ranges, rng, width)
        pixels = view.pixels
        if not of_place and rng.random() < own.tinted:
            pixels = tinted(pixels, self.learned[int(rng.integers(len(self.learned)))].pixels)
        depth = np.zeros((height // 2, width // 2), np.float32) if view.depth is None else view.depth
        return as_tensor(pixels[None]), torch.from_numpy(depth)[None], torch.from_numpy(weight(view))[None]


def weight(view: TrainingView) -> npt.NDArray[np.float32]:
    """Weight of each pixel of a view's depth: 0 where it is unknown, 1 where it is sure."""
    if view.depth is None:
        return np.zeros([side // 2 for side in view.pixels.shape[:2]], np.float32)
    if view.sigma is None:
        return (view.depth > 0).astype(np.float32)
    return np.asarray(view.depth / np.maximum(view.sigma / SUREST, np.maximum(view.depth, np.float32(1e-9))))


def _distance(depth: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    return losses.l1(depth, truth, weight) + losses.log_l1(depth, truth, weight)
