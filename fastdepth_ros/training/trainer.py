"""A training run: steps of a recipe, an average of the weights, reports, checkpoints, and going on after a kill."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.training import checkpoint, curves
from fastdepth_ros.training.augment import plain_view
from fastdepth_ros.training.continuing import continues, fingerprint
from fastdepth_ros.training.distill import ask
from fastdepth_ros.training.feed import Batch, Feed, checked, split
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.modules import arrays_of, frozen, learn_only, module_of
from fastdepth_ros.training.network import copy_statistics
from fastdepth_ros.training.objective import Shown, loss_of, on_grid
from fastdepth_ros.training.optimising import learning_rate, optimiser_of
from fastdepth_ros.training.processes import ALONE, Processes
from fastdepth_ros.training.recipe_data import Phase, Recipe
from fastdepth_ros.training.showing import as_tensor, resized, truth_for
from fastdepth_ros.training.starting import CALIBRATING, begin
from fastdepth_ros.training.teaching import begun_of, teaching_of

CHECKPOINT = "checkpoint.pt"
CURVES = "curves.csv"
PLOT = "curves.png"
LOSSES = ("loss", "truth", "teacher", "hints")
"""Parts of the loss that a report may have."""

ERRORS = ("delta1", "rmse_m", "abs_rel", "si_rmse")
"""Measures of ``evaluation.metrics`` that a report has."""

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
        processes: this one's place among those that train together.
    """

    device: str = "cpu"
    workers: int = 1
    processes: Processes = ALONE


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
        device, self.processes = self.machine.device, self.machine.processes
        for phase in recipe.phases:
            self.processes.share(phase.batch)
        keep_freed_memory()
        self.samples, self.held = split(recipe.data, folders)
        torch.manual_seed(recipe.seed)
        # Made on the CPU, so that a seed gives the same first weights everywhere.
        model = module_of(recipe.network)
        if recipe.start is not None and not (out / CHECKPOINT).is_file():
            begin(model, recipe, [checked(each, folders) for each in recipe.starts], self._first_pictures())
        self.model = model.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.teaching = teaching_of(recipe, folders, device)
        self.begun = begun_of(recipe, folders, device)
        self.hints = None if self.teaching is None else self.teaching.hints
        self.parameters = [*self.model.parameters(), *(self.hints.parameters() if self.hints is not None else ())]
        self.optimiser = optimiser_of(recipe.optimiser, self.parameters)
        self.step, self.images, self.seconds = 0, 0, 0.0
        if (out / CHECKPOINT).is_file():
            with checkpoint.taken_up(out / CHECKPOINT):
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
        batches = iter(Feed(self.recipe, self.samples, self.step, self.machine.workers, self.processes))
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
                    self._gather(sums)
                    row = {name: float(value) / counted for name, value in sums.items()}
                    if self.processes.writes:
                        on_report(self._report(phase, done, row))
                    sums, counted = {}, 0
                if time.monotonic() - saved > self.pace.save_seconds:
                    self.save()
                    saved = time.monotonic()
                if self.processes.any(bool(on_step(self))):
                    break
        finally:
            batches.close()  # type: ignore[attr-defined]
        self.save()

    def validate(self, height: int, width: int) -> Report:
        """Mean over the held-out pictures of the averaged weights' errors, without scaling, and :data:`curves.SCALED`.

        Answers are compared on half of the picture's rows and columns, as in training.

        Args:
            height, width: of the pictures that the network is shown [px].
        """
        model = frozen(self.recipe.network, arrays_of(self.average)).to(memory_format=torch.channels_last)
        rows = []
        for sample in self.held:
            view = plain_view(sample.read(), height, width)
            if view.depth is None:
                continue
            with torch.inference_mode():
                depth = on_grid(model(as_tensor(view.pixels[None]), ())[0], view.depth.shape)[0, 0].numpy()
            scaled = metrics.evaluate(depth, view.depth, scale="median")["delta1"]
            rows.append({**metrics.evaluate(depth, view.depth), curves.SCALED: scaled})
        return {name: float(np.mean([row[name] for row in rows])) for name in (*ERRORS, curves.SCALED)}

    def save(self) -> None:
        """Put the whole state on disk; of several processes, one does."""
        if not self.processes.writes:
            return
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
        if not self.processes.writes:
            return
        rows = [row for row in curves.read(self.out / CURVES) if row["step"] <= self.step]
        curves.write(self.out / CURVES, rows)

    def _first_pictures(self) -> Tensor:
        """The first pictures that all processes together are shown, as the first phase shows them."""
        phase, feed = self.recipe.phases[0], Feed(self.recipe, self.samples)
        shown = [feed.batch(step, phase).pixels for step in range(-(-CALIBRATING // phase.batch))]
        return resized(as_tensor(np.concatenate(shown)[:CALIBRATING]), phase.sides)

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
        learn_only(self.model, phase.layers)
        device = self.machine.device
        full = as_tensor(batch.pixels, device)
        pixels = resized(full, phase.sides)
        weights, pairs = self.recipe.loss_in(phase), self.hints.pairs if self.hints is not None else ()
        names = [name for name, _ in pairs] if weights.compares_maps else []
        answer, maps = self.model(pixels, names)
        depth = on_grid(answer, [side // 2 for side in phase.sides])
        truth = truth_for(depth, batch.depth, device) * self.recipe.data.factor
        taught = full if batch.taught is batch.pixels else as_tensor(batch.taught, device)
        begun = None
        if self.begun is not None and weights.form:
            begun = on_grid(ask(self.begun, resized(taught, phase.sides), ())[0], depth.shape[-2:])
        terms = loss_of(weights, Shown(depth, maps, truth, taught, self.step, begun), self.teaching)
        self.optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()
        self._meet()
        if self.recipe.optimiser.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimiser.clip)
        self.optimiser.step()
        self._move_average(self.recipe.average if phase.average is None else phase.average)
        return {name: value.detach() for name, value in terms.items()}

    def _meet(self) -> None:
        """Give all processes the mean of their gradients."""
        if self.processes.size == 1:
            return
        learning = [parameter for parameter in self.parameters if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:  # What this share did not need, another may have.
                parameter.grad = torch.zeros_like(parameter)
        self.processes.average([parameter.grad for parameter in learning])

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

    def _gather(self, sums: dict[str, Tensor]) -> None:
        """Put the mean over all processes into the sums of losses; one may lack what another was taught."""
        if self.processes.size > 1:
            names = LOSSES if self.teaching is not None else LOSSES[:2]
            sums |= {name: sums.get(name, torch.zeros((), device=self.machine.device)) for name in names}
            self.processes.average([sums[name] for name in names])

    def _report(self, phase: Phase, done: int, sums: Report) -> Report:
        row: Report = {
            "step": self.step,
            "images": self.images,
            "hours": self.seconds / 3600,
            "size": phase.size,
            "rate": learning_rate(phase, done),
            **sums,
            **self.validate(*phase.sides),
        }
        curves.append(self.out / CURVES, {k: float(f"{v:.6g}") for k, v in row.items()})
        curves.plot(self.out / PLOT, curves.read(self.out / CURVES))
        return row
