"""The run: steps of the weights and of the architecture in turns; killed, it goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.errors import SettingError, WeightsError
from fastdepth_ros.evaluation.dataset import Sample, last_share
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.pruning.store import read_arrays, write_arrays
from fastdepth_ros.search.finalists import ranked
from fastdepth_ros.search.job import Job
from fastdepth_ros.search.learning import Learning
from fastdepth_ros.search.likeliest import likeliest, likely
from fastdepth_ros.search.space import Choice
from fastdepth_ros.training.feed import split
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.optimising import learning_rate
from fastdepth_ros.training.trainer import Machine

STATE, LOG = "state.npz", "log.json"
ROWS = 100
"""Rows of the log, at most."""

SAVE_SECONDS = 60.0

Told = Callable[[int, int, str], object]
"""Told the step, the number of steps and what was found so far, in words."""


class Searcher:
    """A run in a folder; made again in the same folder it goes on where it was.

    Args:
        job: what is asked.
        folders: where the pictures are.
        out: the folder: ``state.npz`` and ``log.json``.
        machine: to search on; of several processes the first writes, and all read.

    Attributes:
        learning: weights and logits.
        step: of the weights that are done.
        log: what ``log.json`` holds: the job, a row for every stretch of steps, the last probabilities, and at the end
            the found choice, and the finalists if there were several, the best first.
        samples, judging, held: pictures of the weights' steps, of the architecture's, and held out.

    Raises:
        SettingError: pictures are missing, the folder holds another run, or no network is within the budget.
    """

    def __init__(self, job: Job, folders: list[Path], out: Path, machine: Machine | None = None) -> None:
        self.job, self.out, self.processes = job, out, (machine or Machine()).processes
        for phase in job.training.phases:
            self.processes.share(phase.batch)
        keep_freed_memory()
        learned, self.held = split(job.training.data, folders)
        self.samples, self.judging = _parted(learned, job.recipe.architecture.share)
        self.learning = Learning(job, self.samples, self.judging, machine)
        self.step = 0
        self._sums: dict[str, float] = {}
        self._saved = time.monotonic()
        self.log: dict[str, Any] = {"job": job.told(), "rows": []}
        self.found()  # A budget that no network meets is told at once.
        if (out / STATE).is_file():
            self._resume()

    @property
    def steps(self) -> int:
        """Steps of the weights in all."""
        return self.job.training.steps

    @property
    def finished(self) -> bool:
        return self.step >= self.steps

    def shares(self) -> dict[str, dict[str, float]]:
        """Slot -> candidate -> its present probability."""
        return self.learning.shares(self.step)

    def found(self) -> Choice:
        """The likeliest choice within the budget.

        Raises:
            SettingError: every network takes longer.
        """
        return likeliest(self.job.space, self.job.costs, self.shares(), self.job.budget)

    def go(self, told: Told = lambda *_: None, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Search until the recipe's end, or until ``stopping`` says so after a step; the state is on disk afterwards.

        One process alone then chooses the found network as well; of several the first does by :meth:`decide`, when they
        have parted.

        Returns:
            Whether it is finished.
        """
        while not self.finished and not self.processes.any(stopping()):
            self._one_step()
            rows = self.log["rows"]
            told(self.step, self.steps, f"expected {rows[-1]['expected_ms']:.2f} ms" if rows else "searching")
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self.save()
        self.save()
        if self.finished and self.processes.size == 1:
            self.decide()
        return self.finished

    def decide(self) -> None:
        """Choose the found network where none is: the likeliest, or the best of the recipe's finalists."""
        if "found" in self.log:
            return
        job, count = self.job, self.job.recipe.architecture.finalists
        choices = likely(job.space, job.costs, self.shares(), job.budget, count, job.training.seed)
        if count > 1:
            self.log["finalists"] = ranked(job, self.learning, choices, self.judging)
            self.log["found"] = self.log["finalists"][0]["choice"]
        else:
            self.log["found"] = choices[0]
        self.save()

    def save(self) -> None:
        """Put the whole state, and the log, on disk; of several processes, one does."""
        if not self.processes.writes:
            return
        about = {"log": self.log, "step": self.step, "sums": self._sums}
        write_arrays(self.out / STATE, self.learning.state(), about)
        make_parents(self.out)
        write_file(self.out / LOG, json.dumps(self.log, indent=1) + "\n")
        self._saved = time.monotonic()

    def _resume(self) -> None:
        arrays, text = read_arrays(self.out / STATE)
        job = json.loads(json.dumps(self.job.told()))
        try:
            if text["log"]["job"] != job:
                other = [key for key, value in text["log"]["job"].items() if job.get(key) != value]
                raise SettingError(f"{self.out} holds another run ({', '.join(other)})", "Name another folder.")
            self.log, self.step, self._sums = text["log"], text["step"], text["sums"]
            self.learning.load(arrays)
        except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
            cause = f"{self.out / STATE} is no state of this search ({error})"
            raise WeightsError(cause[:300], "Remove it to begin anew.") from error

    def _one_step(self) -> None:
        own, at = self.job.recipe.architecture, self.step
        self._add(loss=self.learning.step_of_weights(at), steps=1.0)
        if at >= own.begin * self.steps and at % own.every == 0:
            loss, penalty = self.learning.step_of_architecture(at)
            self._add(architecture_loss=loss, penalty=penalty, architecture_steps=1.0)
        self.step += 1
        if self.step % -(-self.steps // ROWS) == 0 or self.finished:
            self._report(at)

    def _report(self, last: int) -> None:
        """Add a row about the steps up to ``last``."""
        phase, done = self.job.phase(last)
        space, costs, shares, sums = self.job.space, self.job.costs, self.shares(), self._sums
        choice = self.found()
        row = {
            "step": self.step,
            "images": self.step * phase.batch,
            "rate": learning_rate(phase, done),
            "tau": self.job.tau(self.step),
            "loss": sums["loss"] / sums["steps"],
            "expected_ms": float(costs.expected(space, shares)),
            "found_ms": costs.milliseconds(space, choice),
            "surest": float(np.mean([max(own.values()) for own in shares.values()])),
        }
        if count := sums.get("architecture_steps"):
            row |= {name: sums[name] / count for name in ("architecture_loss", "penalty")}
        self.log["rows"].append(row)
        self.log["shares"] = shares
        self._sums = {}

    def _add(self, **values: float) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value


def _parted(samples: list[Sample], share: float) -> tuple[list[Sample], list[Sample]]:
    """Pictures of the weights' steps, and the architecture's: the last of each set, as neighbours share a scene."""
    judging: list[Sample] = []
    for name in dict.fromkeys(sample.set for sample in samples):
        judging += last_share([sample for sample in samples if sample.set == name], share)
    names = {sample.name for sample in judging}
    rest = [sample for sample in samples if sample.name not in names]
    if not rest or not judging:
        raise SettingError(f"{len(samples)} pictures cannot be parted by {share:g}", "Take more pictures.")
    return rest, judging
