"""A training run: steps of a recipe, an average of the weights, reports, checkpoints, and going on after a kill."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.importing import read_weights
from fastdepth_ros.training import checkpoint, curves, distill, losses
from fastdepth_ros.training.augment import VIEW_SIZE, plain_view
from fastdepth_ros.training.feed import Batch, Feed, check_sha256, find, split
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.network import FastDepth, copy_statistics, folded, from_arrays
from fastdepth_ros.training.recipe import Loss, Phase, Recipe, continues, fingerprint

CHECKPOINT = "checkpoint.pt"
CURVES = "curves.csv"
PLOT = "curves.png"

Report = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Pace:
    """Periods of reports [images] and of saves [s]; neither changes the weights."""

    report_images: int = 8000
    save_seconds: float = 300.0


@dataclasses.dataclass(frozen=True)
class Machine:
    """Machine to train on.

    Attributes:
        device: as torch names it: ``cpu``, ``cuda``. On ``cpu`` a run that is taken up again is the same bit for bit.
        workers: threads that make pictures ready; the views do not depend on it.
    """

    device: str = "cpu"
    workers: int = 1


class Trainer:
    """One run of a recipe in one folder; made again in the same folder it goes on where it was.

    Args:
        recipe: what to do.
        folders: where the recipe's files are looked for.
        out: the run's folder: ``checkpoint.pt``, ``curves.csv``, ``curves.png``.
        pace: how often to report and save.
        machine: what to train on.

    Raises:
        SettingError: data are missing, or the folder holds a run of another recipe.
    """

    def __init__(
        self, recipe: Recipe, folders: list[Path], out: Path, pace: Pace | None = None, machine: Machine | None = None
    ) -> None:
        self.recipe, self.out, self.pace = recipe, out, pace or Pace()
        self.machine = machine or Machine()
        device = self.machine.device
        keep_freed_memory()
        self.samples, self.held = split(recipe.data, folders)
        torch.manual_seed(recipe.seed)
        # Made on the CPU, so that a seed gives the same first weights everywhere.
        self.model = FastDepth(recipe.network).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.teacher = _teacher(recipe, folders, device)
        self.half = recipe.teacher is not None and recipe.teacher.half
        self.hints: distill.Hints | None = None
        if self.teacher is not None and recipe.teacher is not None:
            self.hints = distill.Hints(recipe.network, self.teacher.table, recipe.teacher.hints)
            self.hints.to(device, memory_format=torch.channels_last)
        self.optimiser = _optimiser(recipe, self.model, self.hints)
        self.step, self.images, self.seconds = 0, 0, 0.0
        if (out / CHECKPOINT).is_file():
            self._resume(checkpoint.load(out / CHECKPOINT))

    @property
    def finished(self) -> bool:
        return self.step >= self.recipe.steps

    def run(self, on_step: Callable[[Trainer], bool | None], on_report: Callable[[Report], None]) -> None:
        """Train until the recipe's end, or until ``on_step`` returns True; the state is on disk afterwards.

        Args:
            on_step: called after every step.
            on_report: called with every new row of the curves.
        """
        sums: dict[str, Tensor] = {}
        counted, saved, since = 0, time.monotonic(), time.monotonic()
        before = self.seconds
        batches = iter(Feed(self.recipe, self.samples, self.step, self.machine.workers))
        try:
            for batch in batches:
                phase, done = self._phase()
                for name, value in self._train(batch, phase, done).items():
                    sums[name] = sums[name] + value if name in sums else value
                counted += 1
                self.step += 1
                reports = self.images // self.pace.report_images
                self.images += phase.batch
                self.seconds = before + time.monotonic() - since
                if self.images // self.pace.report_images > reports or self.finished:
                    on_report(self._report(phase, done, {name: float(v) / counted for name, v in sums.items()}))
                    sums, counted = {}, 0
                if time.monotonic() - saved > self.pace.save_seconds:
                    self.save()
                    saved = time.monotonic()
                if on_step(self):
                    break
        finally:
            batches.close()  # type: ignore[attr-defined]
        self.save()

    def validate(self, size: int) -> Report:
        """Mean over the held-out pictures at ``size`` px of the averaged weights' errors, without scaling."""
        model = from_arrays(self.recipe.network, folded(self.average)).to(memory_format=torch.channels_last)
        rows = []
        for sample in self.held:
            view = plain_view(sample.read(), size)
            with torch.inference_mode():
                depth = model(_tensor(view.pixels[None]))[0][0, 0].numpy()
            if view.depth is not None:
                rows.append(metrics.evaluate(depth, view.depth))
        return {name: float(np.mean([row[name] for row in rows])) for name in ("delta1", "rmse_m", "abs_rel")}

    def save(self) -> None:
        """Put the whole state on disk."""
        state = {
            "recipe": fingerprint(self.recipe),
            "step": self.step,
            "images": self.images,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "hints": self.hints.state_dict() if self.hints is not None else {},
            "optimiser": self.optimiser.state_dict(),
        }
        checkpoint.save(self.out / CHECKPOINT, state)

    def _resume(self, state: dict[str, Any]) -> None:
        if not continues(state["recipe"], self.recipe, state["step"]):
            cause = f"{self.out} holds a run of another recipe"
            raise SettingError(cause, "Name another folder; only phases that have not begun may change.")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        if self.hints is not None:
            self.hints.load_state_dict(state["hints"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.images, self.seconds = state["step"], state["images"], state["seconds"]
        rows = [row for row in curves.read(self.out / CURVES) if row["step"] <= self.step]
        curves.write(self.out / CURVES, rows)

    def _phase(self) -> tuple[Phase, int]:
        """The phase of the next step, and how many of its steps are done."""
        done = self.step
        for phase in self.recipe.phases:
            if done < phase.steps:
                return phase, done
            done -= phase.steps
        return self.recipe.phases[-1], self.recipe.phases[-1].steps

    def _train(self, batch: Batch, phase: Phase, done: int) -> dict[str, Tensor]:
        rate = learning_rate(phase, done)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        if phase.frozen and not done:
            copy_statistics(self.average, self.model)
        self.model.train(not phase.frozen)
        device = self.machine.device
        full = _tensor(batch.pixels, device)
        pixels = full if phase.size == VIEW_SIZE else functional.interpolate(full, size=phase.size, mode="area")
        depth, maps = self.model(pixels)
        truth = torch.from_numpy(batch.depth).to(device)[:, None]
        if truth.shape != depth.shape:
            truth = functional.interpolate(truth, size=depth.shape[-2:], mode="nearest")
        taught = full if batch.taught is batch.pixels else _tensor(batch.taught, device)
        terms = self._loss(self.recipe.loss_in(phase), depth, maps, truth, taught)
        self.optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()
        if self.recipe.optimiser.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimiser.clip)
        self.optimiser.step()
        self._move_average(self.recipe.average if phase.average is None else phase.average)
        return {name: value.detach() for name, value in terms.items()}

    def _loss(
        self, weights: Loss, depth: Tensor, maps: dict[str, Tensor], truth: Tensor, taught: Tensor
    ) -> dict[str, Tensor]:
        known = (truth > 0).float()
        target, counts = truth, known
        terms = {"truth": losses.l1(depth, truth, known)}
        if self.teacher is None:
            loss = weights.truth * terms["truth"]
        else:
            asked: Tensor | slice = known.amax(dim=(1, 2, 3)) == 0 if weights.blind else slice(None)
            answer, heard = torch.zeros_like(depth), torch.zeros_like(depth)
            hints = None
            if depth[asked].numel():
                names = self.hints.names if self.hints is not None and weights.hints else ()
                its_depth, its_maps = distill.ask(self.teacher, taught[asked], names, self.half)
                answer[asked] = functional.adaptive_avg_pool2d(its_depth, depth.shape[-2:])
                heard[asked] = 1.0
                if names and self.hints is not None:
                    hints = self.hints({name: maps[name][asked] for name in names}, its_maps)
            terms["teacher"] = losses.l1(depth, answer, heard)
            share = heard * (known * weights.teacher_where_known + (1 - known) * weights.teacher)
            # Every pixel weighs alike, whether it has a truth or not.
            loss = ((depth - answer).abs() * share + (depth - truth).abs() * known * weights.truth).mean()
            if hints is not None:
                terms["hints"] = hints
                loss = loss + weights.hints * hints
            target, counts = torch.where(known > 0, truth, answer), torch.maximum(known, heard)
        if weights.log:
            loss = loss + weights.log * losses.log_l1(depth, target, counts)
        if weights.gradient:
            loss = loss + weights.gradient * losses.gradient(depth, target, counts)
        if weights.log_gradient:
            loss = loss + weights.log_gradient * losses.log_gradient(depth, target, counts)
        return {"loss": loss, **terms}

    def _move_average(self, decay: float) -> None:
        """Move by (1 - decay) of the way to the weights, with a shorter memory at first; BN statistics too."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        pairs = [
            (ours, theirs)
            for ours, theirs in zip(self.average.state_dict().values(), self.model.state_dict().values(), strict=True)
            if ours.is_floating_point()
        ]
        with torch.no_grad():
            torch._foreach_lerp_([ours for ours, _ in pairs], [theirs for _, theirs in pairs], 1 - decay)

    def _report(self, phase: Phase, done: int, sums: Report) -> Report:
        row: Report = {
            "step": self.step,
            "images": self.images,
            "hours": self.seconds / 3600,
            "size": phase.size,
            "rate": learning_rate(phase, done),
            **sums,
            **self.validate(phase.size),
        }
        curves.append(self.out / CURVES, {k: float(f"{v:.6g}") for k, v in row.items()})
        curves.plot(self.out / PLOT, curves.read(self.out / CURVES))
        return row


def learning_rate(phase: Phase, done: int) -> float:
    """Rate of a phase's step number ``done``: a half cosine from ``rate`` to ``end_rate``, after a linear warm-up."""
    if done * phase.batch < phase.warmup:
        return phase.rate * (done + 1) * phase.batch / (phase.warmup + phase.batch)
    part = done / max(phase.images // phase.batch, 1)
    return phase.end_rate + (phase.rate - phase.end_rate) * (1 + math.cos(math.pi * part)) / 2


def _tensor(pixels: np.ndarray[Any, np.dtype[np.uint8]], device: str = "cpu") -> Tensor:
    """(N, h, w, 3) uint8 -> (N, 3, h, w) float32 in 0..1, channels last in memory, as the network is."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(255)


def _teacher(recipe: Recipe, folders: list[Path], device: str) -> FastDepth | None:
    if recipe.teacher is None:
        return None
    path = find(recipe.teacher.path, folders)
    check_sha256(path, recipe.teacher.sha256)
    teacher = from_arrays(*read_weights(path))
    teacher.to(device, memory_format=torch.channels_last)
    return teacher


def _optimiser(recipe: Recipe, model: FastDepth, hints: distill.Hints | None) -> torch.optim.Optimizer:
    settings = recipe.optimiser
    parameters = [*model.parameters(), *(hints.parameters() if hints is not None else ())]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.name == "sgd":
        return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum)
    return torch.optim.AdamW(groups, lr=0.0)
