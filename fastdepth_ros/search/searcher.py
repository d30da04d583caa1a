"""The run: steps of the weights and of the architecture in turns; killed, it goes on where it was.

A step of the weights runs one candidate of each slot, drawn by the softmax of the logits. A step of the architecture
runs two, whose answers are added with the softmax over the two as factors, on pictures that the weights do not see;
its loss has the expected milliseconds of the two, and all other candidates stay as probable as they were. All chance
follows from the recipe's seed and the step's number.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fastdepth_ros.errors import SettingError, WeightsError
from fastdepth_ros.evaluation.dataset import Sample, last_share
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.pruning.store import read_arrays, write_arrays
from fastdepth_ros.search.likeliest import likeliest
from fastdepth_ros.search.recipe import SearchRecipe
from fastdepth_ros.search.sampling import drawn, kept, probabilities
from fastdepth_ros.search.space import Choice, Space
from fastdepth_ros.search.super_network import SuperNetwork
from fastdepth_ros.search.table import Costs
from fastdepth_ros.training.feed import Batch, Feed, split
from fastdepth_ros.training.memory import keep_freed_memory
from fastdepth_ros.training.objective import Shown, loss_of, on_grid
from fastdepth_ros.training.optimising import learning_rate, optimiser_of
from fastdepth_ros.training.recipe import Phase, Recipe, fingerprint
from fastdepth_ros.training.showing import as_tensor, resized, truth_for
from fastdepth_ros.training.starting import CALIBRATING

STATE, LOG = "state.npz", "log.json"
ROWS = 100
"""Rows of the log, at most."""

SAVE_SECONDS = 60.0
LEAST = 1e-12
"""Probability of a candidate that exp() has lost."""

WEIGHTS, ARCHITECTURE = 1, 2
"""Words of a step's seed: chance of one kind of step does not depend on the other's."""

Told = Callable[[int, int, str], object]
"""Told the step, the number of steps and what was found so far, in words."""


@dataclass(frozen=True)
class Job:
    """A task.

    Attributes:
        space: of the networks.
        costs: milliseconds of its candidates.
        budget: milliseconds that the network may take by them.
        recipe: how to search.
        training: the recipe's steps for the pictures that there are; its network is not looked at.
    """

    space: Space
    costs: Costs
    budget: float
    recipe: SearchRecipe
    training: Recipe

    def told(self) -> dict[str, Any]:
        """The job as JSON has it."""
        own = self.recipe.architecture
        return {
            "space": self.space.name,
            "digest": self.space.digest,
            "latency": self.costs.about,
            "budget_ms": self.budget,
            "architecture": {**vars(own), "betas": list(own.betas)},
            "training": fingerprint(self.training),
        }


class Searcher:
    """A run in a folder; made again in the same folder it goes on where it was.

    Args:
        job: what is asked.
        folders: where the pictures are.
        out: the folder: ``state.npz`` and ``log.json``.

    Attributes:
        model: all layers.
        logits: slot -> a logit for each candidate, float64.
        step: of the weights that are done.
        log: what ``log.json`` holds: the job, a row for every stretch of steps, the last probabilities, and at the end
            the found choice.
        samples, judging, held: pictures of the weights' steps, of the architecture's, and held out.

    Raises:
        SettingError: pictures are missing, the folder holds another run, or no network is within the budget.
    """

    def __init__(self, job: Job, folders: list[Path], out: Path) -> None:
        self.job, self.out = job, out
        keep_freed_memory()
        learned, self.held = split(job.training.data, folders)
        self.samples, self.judging = _parted(learned, job.recipe.architecture.share)
        self._feeds = Feed(job.training, self.samples), Feed(job.training, self.judging)
        torch.manual_seed(job.training.seed)
        self.model = SuperNetwork(job.space).to(memory_format=torch.channels_last).train()
        slots = job.space.slots.values()
        self.logits = {
            slot.name: nn.Parameter(torch.zeros(len(slot.candidates), dtype=torch.float64)) for slot in slots
        }
        own = job.recipe.architecture
        self._optimisers = {
            "optimiser": optimiser_of(job.training.optimiser, self.model.parameters()),
            "architecture": torch.optim.Adam(
                self.logits.values(), own.rate, betas=(own.betas[0], own.betas[1]), weight_decay=own.decay
            ),
        }
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

    @property
    def tau(self) -> float:
        """Temperature at the present step."""
        own = self.job.recipe.architecture
        first = own.begin * self.steps
        part = min(max((self.step - first) / max(self.steps - first, 1), 0.0), 1.0)
        return float(own.tau * (own.end_tau / own.tau) ** part)

    def shares(self) -> dict[str, dict[str, float]]:
        """Slot -> candidate -> its probability."""
        found = {}
        for slot in self.job.space.slots.values():
            odds = np.maximum(probabilities(self._array(slot.name), self.tau), LEAST)
            found[slot.name] = {word: float(share) for word, share in zip(slot.candidates, odds, strict=True)}
        return found

    def found(self) -> Choice:
        """The likeliest choice within the budget.

        Raises:
            SettingError: every network takes longer.
        """
        return likeliest(self.job.space, self.job.costs, self.shares(), self.job.budget)

    def go(self, told: Told = lambda *_: None, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Search until the recipe's end, or until ``stopping`` says so after a step; the state is on disk afterwards.

        Returns:
            Whether it is finished.
        """
        while not self.finished and not stopping():
            self._one_step()
            rows = self.log["rows"]
            told(self.step, self.steps, f"expected {rows[-1]['expected_ms']:.2f} ms" if rows else "searching")
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self.save()
        self.save()
        return self.finished

    def pictures(self) -> Tensor:
        """(N, 3, H, W) pictures to measure normalisation on, always the same."""
        phase = self.job.training.phases[-1]
        batches = [self._feeds[0].batch(number, phase).pixels for number in range(-(-CALIBRATING // phase.batch))]
        return resized(as_tensor(np.concatenate(batches)[:CALIBRATING]), phase.sides)

    def save(self) -> None:
        """Put the whole state, and the log, on disk."""
        arrays = {f"weights/{name}": value.numpy() for name, value in self.model.state_dict().items()}
        arrays |= {f"logits/{name}": self._array(name) for name in self.logits}
        for name, optimiser in self._optimisers.items():
            for number, state in optimiser.state_dict()["state"].items():
                arrays |= {f"{name}/{number}/{word}": value.numpy() for word, value in state.items()}
        write_arrays(self.out / STATE, arrays, {"log": self.log, "step": self.step, "sums": self._sums})
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
            tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
            self.model.load_state_dict(_below(tensors, "weights"))
            with torch.no_grad():
                for name, value in _below(tensors, "logits").items():
                    self.logits[name].copy_(value)
            for name, optimiser in self._optimisers.items():
                state: dict[int, dict[str, Tensor]] = {}
                for place, value in _below(tensors, name).items():
                    number, _, word = place.partition("/")
                    state.setdefault(int(number), {})[word] = value
                optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
            cause = f"{self.out / STATE} is no state of this search ({error})"
            raise WeightsError(cause[:300], "Remove it to begin anew.") from error

    def _one_step(self) -> None:
        own, phase, done = self.job.recipe.architecture, *self._phase()
        loss = self._step_of_weights(phase, done)
        self._add(loss=loss, steps=1.0)
        if self.step >= own.begin * self.steps and self.step % own.every == 0:
            loss, penalty = self._step_of_architecture(phase)
            self._add(architecture_loss=loss, penalty=penalty, architecture_steps=1.0)
        self.step += 1
        if self.step % -(-self.steps // ROWS) == 0 or self.finished:
            self._report(phase, done)

    def _step_of_weights(self, phase: Phase, done: int) -> float:
        optimiser = self._optimisers["optimiser"]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(phase, done)
        self.model.requires_grad_(True)
        rng = np.random.default_rng([self.job.training.seed, self.step, WEIGHTS])
        picked = drawn(self.job.space, self._arrays(), self.tau, 1, rng)
        loss = self._loss(self._feeds[0].batch(self.step, phase), phase, picked, None)
        optimiser.zero_grad(set_to_none=True)  # What is not run is not moved, nor does it decay.
        loss.backward()
        if self.job.training.optimiser.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.job.training.optimiser.clip)
        optimiser.step()
        return float(loss.detach())

    def _step_of_architecture(self, phase: Phase) -> tuple[float, float]:
        """Move the logits; gives the loss without and the part by milliseconds."""
        space, tau, optimiser = self.job.space, self.tau, self._optimisers["architecture"]
        self.model.requires_grad_(False)
        rng = np.random.default_rng([self.job.training.seed, self.step, ARCHITECTURE])
        before = self._arrays()
        picked = drawn(space, before, tau, 2, rng)
        drawn_places = {
            name: [space.slots[name].candidates.index(word) for word in words] for name, words in picked.items()
        }
        shares = {}
        for name, words in picked.items():
            pair = torch.softmax(self.logits[name][drawn_places[name]] / tau, 0)
            shares[name] = dict(zip(words, pair, strict=True))
        loss = self._loss(self._feeds[1].batch(self.step, phase), phase, picked, shares)
        penalty = latency_loss(
            self.job.costs.expected(space, shares), self.job.budget, self.job.recipe.architecture.latency_lambda
        )
        optimiser.zero_grad(set_to_none=True)
        (loss + penalty).backward()
        optimiser.step()
        with torch.no_grad():
            for name in self.logits:
                # Adam's memory moves, too, what was not drawn.
                own = drawn_places.get(name, [])
                moved = kept(before[name], self._array(name), own, tau) if own else before[name]
                self.logits[name].copy_(torch.from_numpy(moved))
        return float(loss.detach()), float(penalty.detach())

    def _loss(self, batch: Batch, phase: Phase, picked: Mapping[str, tuple[str, ...]], shares: Any) -> Tensor:
        pixels = resized(as_tensor(batch.pixels), phase.sides)
        answer = self.model.answer(pixels, self.job.space.assembled(picked), shares)
        depth = on_grid(answer, [side // 2 for side in phase.sides])
        shown = Shown(depth, {}, truth_for(depth, batch.depth), depth, self.step)  # Nobody teaches.
        return loss_of(self.job.training.loss_in(phase), shown, None)["loss"]

    def _report(self, phase: Phase, done: int) -> None:
        space, costs, shares, sums = self.job.space, self.job.costs, self.shares(), self._sums
        choice = self.found()
        row = {
            "step": self.step,
            "images": self.step * phase.batch,
            "rate": learning_rate(phase, done),
            "tau": self.tau,
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
        if self.finished:
            self.log["found"] = choice

    def _phase(self) -> tuple[Phase, int]:
        """The phase of the next step, and how many of its steps are done."""
        done = self.step
        for phase in self.job.training.phases:
            if done < phase.steps:
                return phase, done
            done -= phase.steps
        raise AssertionError("the run is finished")

    def _add(self, **values: float) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def _array(self, name: str) -> npt.NDArray[np.float64]:
        return np.array(self.logits[name].detach().numpy())

    def _arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        return {name: self._array(name) for name in self.logits}


def latency_loss(expected: Tensor, budget: float, factor: float) -> Tensor:
    """Loss by milliseconds, factor * ln(expected / budget), and 0 within the budget: there, accuracy alone counts.

    DenseNAS adds 0.15 ln(expected) / ln(15) everywhere (DenseNAS@e479206).

    Args:
        expected: milliseconds, a scalar.
        budget: milliseconds.
        factor: lambda.
    """
    return factor * torch.relu(torch.log(expected / budget))


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


def _below(tensors: Mapping[str, Tensor], word: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{word}/"): value for name, value in tensors.items() if name.startswith(f"{word}/")}
