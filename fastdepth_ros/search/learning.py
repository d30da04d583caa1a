"""Weights and logits of a search, and the two kinds of steps that move them.

A step of the weights runs one candidate of each slot, drawn by the softmax of the logits. A step of the architecture
runs two, whose answers are added with the softmax over the two as factors, on pictures that the weights do not see;
its loss has the expected milliseconds of the two, and all other candidates stay as probable as they were. All chance
follows from the recipe's seed and the step's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fastdepth_ros.evaluation.dataset import Sample
from fastdepth_ros.search.job import Job
from fastdepth_ros.search.sampling import drawn, kept, probabilities
from fastdepth_ros.search.super_network import SuperNetwork
from fastdepth_ros.training.feed import Batch, Feed
from fastdepth_ros.training.objective import Shown, loss_of, on_grid
from fastdepth_ros.training.optimising import learning_rate, optimiser_of
from fastdepth_ros.training.recipe import Phase
from fastdepth_ros.training.showing import as_tensor, resized, truth_for
from fastdepth_ros.training.starting import CALIBRATING
from fastdepth_ros.training.trainer import Machine

LEAST = 1e-12
"""Probability of a candidate that exp() has lost."""

WEIGHTS, ARCHITECTURE = 1, 2
"""Words of a step's seed: chance of one kind of step does not depend on the other's."""


class Learning:
    """Weights and logits, which a search learns.

    Several processes draw the same candidates, each learns from its share of a batch, and gradients are averaged.

    Args:
        job: what is asked.
        samples: pictures of the weights' steps.
        judging: pictures of the architecture's steps.
        machine: to learn on. Logits are on the processor always.

    Attributes:
        model: all layers.
        logits: slot -> a logit for each candidate, float64.
    """

    def __init__(
        self, job: Job, samples: Sequence[Sample], judging: Sequence[Sample], machine: Machine | None = None
    ) -> None:
        self.job, self.machine = job, machine or Machine()
        own = self.machine.processes
        self._feeds = [Feed(job.training, list(part), processes=own) for part in (samples, judging)]
        self._all = Feed(job.training, list(samples))
        torch.manual_seed(job.training.seed)
        # Made on the CPU, so that a seed gives the same first weights everywhere.
        self.model = SuperNetwork(job.space).to(self.machine.device, memory_format=torch.channels_last).train()
        slots = job.space.slots.values()
        self.logits = {
            slot.name: nn.Parameter(torch.zeros(len(slot.candidates), dtype=torch.float64)) for slot in slots
        }
        steps = job.recipe.architecture
        self._optimisers = {
            "optimiser": optimiser_of(job.training.optimiser, self.model.parameters()),
            "architecture": torch.optim.Adam(
                self.logits.values(), steps.rate, betas=(steps.betas[0], steps.betas[1]), weight_decay=steps.decay
            ),
        }

    def shares(self, step: int) -> dict[str, dict[str, float]]:
        """Slot -> candidate -> its probability, by the temperature of a step."""
        found = {}
        for slot in self.job.space.slots.values():
            odds = np.maximum(probabilities(self._array(slot.name), self.job.tau(step)), LEAST)
            found[slot.name] = {word: float(share) for word, share in zip(slot.candidates, odds, strict=True)}
        return found

    def step_of_weights(self, step: int) -> float:
        """Move the weights of one candidate a slot; gives the loss."""
        phase, done = self.job.phase(step)
        optimiser = self._optimisers["optimiser"]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(phase, done)
        self.model.requires_grad_(True)
        rng = np.random.default_rng([self.job.training.seed, step, WEIGHTS])
        picked = drawn(self.job.space, self._arrays(), self.job.tau(step), 1, rng)
        loss = self._loss(self._feeds[0].batch(step, phase), step, phase, picked, None)
        optimiser.zero_grad(set_to_none=True)  # What is not run is not moved, nor does it decay.
        loss.backward()
        self._meet(self.model.parameters())
        if self.job.training.optimiser.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.job.training.optimiser.clip)
        optimiser.step()
        return self._mean(loss)

    def step_of_architecture(self, step: int) -> tuple[float, float]:
        """Move the logits; gives the loss without and the part by milliseconds."""
        space, tau, optimiser = self.job.space, self.job.tau(step), self._optimisers["architecture"]
        phase, _ = self.job.phase(step)
        self.model.requires_grad_(False)
        rng = np.random.default_rng([self.job.training.seed, step, ARCHITECTURE])
        before = self._arrays()
        picked = drawn(space, before, tau, 2, rng)
        drawn_places = {
            name: [space.slots[name].candidates.index(word) for word in words] for name, words in picked.items()
        }
        shares = {}
        for name, words in picked.items():
            pair = torch.softmax(self.logits[name][drawn_places[name]] / tau, 0)
            shares[name] = dict(zip(words, pair, strict=True))
        loss = self._loss(self._feeds[1].batch(step, phase), step, phase, picked, shares)
        penalty = latency_loss(
            self.job.costs.expected(space, shares), self.job.budget, self.job.recipe.architecture.latency_lambda
        )
        optimiser.zero_grad(set_to_none=True)
        (loss.cpu() + penalty).backward()
        self._meet(self.logits.values())
        optimiser.step()
        with torch.no_grad():
            for name in self.logits:
                # Adam's memory moves, too, what was not drawn.
                own = drawn_places.get(name, [])
                moved = kept(before[name], self._array(name), own, tau) if own else before[name]
                self.logits[name].copy_(torch.from_numpy(moved))
        return self._mean(loss), float(penalty.detach())

    def pictures(self) -> Tensor:
        """(N, 3, H, W) pictures to measure normalisation on, always the same."""
        phase = self.job.training.phases[-1]
        batches = [self._all.batch(number, phase).pixels for number in range(-(-CALIBRATING // phase.batch))]
        return resized(as_tensor(np.concatenate(batches)[:CALIBRATING]), phase.sides)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Weights, logits and both optimisers' memories, as arrays."""
        arrays = {f"weights/{name}": value.cpu().numpy() for name, value in self.model.state_dict().items()}
        arrays |= {f"logits/{name}": self._array(name) for name in self.logits}
        for name, optimiser in self._optimisers.items():
            for number, state in optimiser.state_dict()["state"].items():
                arrays |= {f"{name}/{number}/{word}": value.cpu().numpy() for word, value in state.items()}
        return arrays

    def load(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over a :meth:`state`.

        Raises:
            LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError: it is of another search.
        """
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

    def _loss(
        self, batch: Batch, step: int, phase: Phase, picked: Mapping[str, tuple[str, ...]], shares: Any
    ) -> Tensor:
        device = self.machine.device
        pixels = resized(as_tensor(batch.pixels, device), phase.sides)
        answer = self.model.answer(pixels, self.job.space.assembled(picked), shares)
        depth = on_grid(answer, [side // 2 for side in phase.sides])
        shown = Shown(depth, {}, truth_for(depth, batch.depth, device), depth, step)  # Nobody teaches.
        return loss_of(self.job.training.loss_in(phase), shown, None)["loss"]

    def _meet(self, parameters: Iterable[Tensor]) -> None:
        """Give all processes the mean of their gradients; all have run the same candidates."""
        if self.machine.processes.size == 1:
            return
        slopes = [parameter.grad for parameter in parameters if parameter.grad is not None]
        there = [slope.to(self.machine.device) for slope in slopes]
        self.machine.processes.average(there)
        for slope, mean in zip(slopes, there, strict=True):
            slope.copy_(mean)

    def _mean(self, loss: Tensor) -> float:
        """A loss as a number: the mean over all processes."""
        value = loss.detach().clone()
        self.machine.processes.average([value])
        return float(value)

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


def _below(tensors: Mapping[str, Tensor], word: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{word}/"): value for name, value in tensors.items() if name.startswith(f"{word}/")}
