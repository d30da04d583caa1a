"""Accuracy of a proposal after short training, and the long training at the end.

Every proposal of an iteration sees the same pictures in the same order. A step's pictures follow from the recipe's seed
and its number alone, so a run that was killed and goes on computes what it would have computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.evaluation.dataset import Sample, last_share
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.pruning.judge import Arrays, Told
from fastdepth_ros.training import checkpoint
from fastdepth_ros.training.augment import plain_view
from fastdepth_ros.training.feed import Feed, split
from fastdepth_ros.training.graph_network import GraphNetwork, folded_graph
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.objective import Shown, loss_of
from fastdepth_ros.training.optimising import learning_rate, optimiser_of
from fastdepth_ros.training.recipe import Phase, Recipe
from fastdepth_ros.training.unfold import from_state, measured_anew, to_arrays, unfolded

TUNED = "tuned.pt"
TOGETHER = 16
"""Pictures that are judged at a time."""

KEPT_BATCHES = 128
"""Batches of an iteration that are kept for its next proposal; others are made again."""

CALIBRATING = 64
"""Pictures that means and variances are measured on: all in one batch, so that layers agree on what they see."""


class Learner:
    """Who trains and judges networks of a run.

    The recipe's first phase is a proposal's training, the others are the long one at the end. A tenth of the pictures
    to learn from (the recipe's share, of the same set as those held out) judges proposals, and is not trained on;
    pictures that the recipe holds out are looked at before and after the run alone.

    Args:
        recipe: data, loss, optimiser, augmentation, seed and phases; its network is not looked at.
        folders: where its data are.

    Attributes:
        samples, judging, held: pictures to learn from, to judge by, and held out.

    Raises:
        SettingError: data are missing, or the recipe asks for what is not done here.
    """

    about = "delta1 with the truth's median, on pictures that were not trained on, after short training"

    def __init__(self, recipe: Recipe, folders: list[Path]) -> None:
        if recipe.teacher is not None:
            raise SettingError(
                f"recipe {recipe.name} has a teacher", "Prune with a recipe that learns from truth alone."
            )
        keep_freed_memory()
        self.recipe = recipe
        learned, self.held = split(recipe.data, folders)
        of_set = [sample for sample in learned if sample.set == recipe.data.holdout_set]
        self.judging = last_share(of_set, recipe.data.holdout_share)
        names = {sample.name for sample in self.judging}
        self.samples = [sample for sample in learned if sample.name not in names]
        if not self.judging or not self.samples:
            cause = f"{len(learned)} pictures to learn from leave none to judge proposals by"
            raise SettingError(cause, "Take more pictures, or a larger data.holdout_share.")
        self._feed = Feed(recipe, self.samples)
        self._batches: dict[int, tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]] = {}
        self._calibration: Tensor | None = None
        self._views: dict[tuple[int, bool], list[tuple[Tensor, npt.NDArray[np.float32]]]] = {}

    @property
    def short(self) -> Phase:
        """Training that a proposal gets."""
        return self.recipe.phases[0]

    def begin(self, graph: Graph, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """A network that can be trained, of folded arrays; the same that answers as they do."""
        return to_arrays(unfolded(graph, arrays, self._calibrating()))

    def accuracy(self, graph: Graph, arrays: Arrays) -> float:
        """Mean delta1 over the pictures that judge, each answer multiplied to have the truth's median.

        A few steps move the scale of all answers by chance, more than the cut of a layer costs; the long training
        brings it back, and not the shapes that were lost.
        """
        return self.errors(graph, arrays, self.judging, self.short.size, "median")["delta1"]

    def errors(
        self, graph: Graph, arrays: Arrays, samples: Sequence[Sample], size: int, scale: metrics.Scale = "none"
    ) -> dict[str, float]:
        """Means of delta1, RMSE [m] and absolute relative error over pictures, seen at ``size`` px.

        Args:
            graph, arrays: the network.
            samples: with depth.
            size: side of the network's input [px].
            scale: as ``metrics.evaluate`` takes it.
        """
        model = from_state(graph, arrays).eval().to(memory_format=torch.channels_last)
        rows = []
        views = self._plain(samples, size)
        for start in range(0, len(views), TOGETHER):
            part = views[start : start + TOGETHER]
            with torch.inference_mode():
                answers = halved(model(torch.cat([pixels for pixels, _ in part]))[0], size, size).numpy()
            pairs = zip(answers, part, strict=True)
            rows += [metrics.evaluate(answer[0], truth, scale=scale) for answer, (_, truth) in pairs]
        return {name: float(np.mean([row[name] for row in rows])) for name in ("delta1", "rmse_m", "abs_rel")}

    def adapt(self, graph: Graph, arrays: Arrays, iteration: int) -> tuple[Arrays, float]:
        """A network that was just cut, after the short training, and its accuracy.

        Where the first phase is frozen, normalisation is measured anew before, because the cut changed what layers
        read, and stays so.
        """
        phase, model = self.short, from_state(graph, arrays)
        if phase.frozen:
            measured_anew(model, self._calibrating())
        optimiser = self._optimiser(model)
        for done in range(phase.steps):
            self._step(model, optimiser, phase, done, CALIBRATING + iteration * phase.steps + done)
        found = to_arrays(model)
        return found, self.accuracy(graph, found)

    def tune(
        self, graph: Graph, arrays: Arrays, out: Path, told: Told, stopping: Callable[[], bool], save: float = 60.0
    ) -> Arrays | None:
        """The long training; made again with the same folder it goes on where it was.

        Args:
            graph, arrays: the network.
            out: folder of ``tuned.pt``.
            told: what is done, and which share of it.
            stopping: whether to stop after a step.
            save: seconds between two saves.

        Returns:
            The network, or None where it was stopped before the end.
        """
        model, step = from_state(graph, arrays), 0
        optimiser = self._optimiser(model)
        if (out / TUNED).is_file():
            with checkpoint.taken_up(out / TUNED):
                state = checkpoint.load(out / TUNED)
                model.load_state_dict(state["model"])
                optimiser.load_state_dict(state["optimiser"])
                step = int(state["step"])
        whole, saved, number = sum(phase.steps for phase in self.recipe.phases[1:]), time.monotonic(), 0
        for phase in self.recipe.phases[1:]:
            for done in range(phase.steps):
                number += 1
                if number <= step:
                    continue
                if stopping():
                    self._keep(out, model, optimiser, number - 1)
                    return None
                self._step(model, optimiser, phase, done, FAR + number)
                told(f"long training: step {number} of {whole}", number / whole)
                if time.monotonic() - saved > save:
                    self._keep(out, model, optimiser, number)
                    saved = time.monotonic()
        self._keep(out, model, optimiser, number)
        return to_arrays(model)

    def folded(self, graph: Graph, arrays: Arrays) -> Arrays:
        """The arrays as ``Graph.weight_shapes`` names them."""
        return dict(folded_graph(from_state(graph, arrays)))

    def _keep(self, out: Path, model: GraphNetwork, optimiser: torch.optim.Optimizer, step: int) -> None:
        state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
        checkpoint.save(out / TUNED, state)

    def _step(
        self, model: GraphNetwork, optimiser: torch.optim.Optimizer, phase: Phase, done: int, number: int
    ) -> None:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(phase, done)
        model.train(not phase.frozen)
        depth = halved(model(self._pixels(number, phase))[0], phase.size, phase.size)
        truth = torch.from_numpy(self._batch(number, phase)[1])[:, None]
        truth = functional.interpolate(truth, size=depth.shape[-2:], mode="nearest")
        shown = Shown(depth, {}, truth, depth, number)  # Without a teacher nothing is taught.
        loss = loss_of(self.recipe.loss_in(phase), shown, None)["loss"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.optimiser.clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), self.recipe.optimiser.clip)
        optimiser.step()

    def _optimiser(self, model: GraphNetwork) -> torch.optim.Optimizer:
        return optimiser_of(self.recipe.optimiser, model.parameters())

    def _batch(self, number: int, phase: Phase) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Pixels and depth of a step; the newest are kept."""
        if number not in self._batches:
            made = self._feed.batch(number, phase)
            while len(self._batches) >= KEPT_BATCHES:
                self._batches.pop(next(iter(self._batches)))
            self._batches[number] = made.pixels, made.depth
        return self._batches[number]

    def _pixels(self, number: int, phase: Phase) -> Tensor:
        pixels = as_tensor(self._batch(number, phase)[0])
        if pixels.shape[-1] == phase.size:
            return pixels
        return functional.interpolate(pixels, size=phase.size, mode="area")

    def _calibrating(self) -> Tensor:
        """The pictures that means and variances are measured on, always the same."""
        if self._calibration is None:
            batches = range(-(-CALIBRATING // self.short.batch))
            self._calibration = torch.cat([self._pixels(number, self.short) for number in batches])[:CALIBRATING]
        return self._calibration

    def _plain(self, samples: Sequence[Sample], size: int) -> list[tuple[Tensor, npt.NDArray[np.float32]]]:
        """Views of pictures with a truth, decoded once."""
        key = size, samples is self.held
        if key not in self._views:
            views = [plain_view(sample.read(), size) for sample in samples]
            self._views[key] = [(as_tensor(view.pixels[None]), view.depth) for view in views if view.depth is not None]
        return self._views[key]


FAR = 1_000_000
"""Number of the long training's first batch: none that a proposal has seen."""


def halved(depth: Tensor, height: int, width: int) -> Tensor:
    """An answer at half the picture's size, as truths are; a smaller one stays as it is."""
    return depth if depth.shape[-1] <= width // 2 else functional.adaptive_avg_pool2d(depth, (height // 2, width // 2))


def as_tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """(N, h, w, 3) uint8 -> (N, 3, h, w) float32 in 0..1, channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
