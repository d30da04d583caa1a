"""The task of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastdepth_ros.search.recipe import SearchRecipe
from fastdepth_ros.search.space import Space
from fastdepth_ros.search.table import Costs
from fastdepth_ros.training.recipe import Phase, Recipe, fingerprint


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
        own = {**vars(self.recipe.architecture), "betas": list(self.recipe.architecture.betas)}
        del own["finalists"]  # No step depends on it.
        return {
            "space": self.space.name,
            "digest": self.space.digest,
            "latency": self.costs.about,
            "budget_ms": self.budget,
            "architecture": own,
            "training": fingerprint(self.training),
        }

    def phase(self, step: int) -> tuple[Phase, int]:
        """The phase of a step of the weights, and how many of its steps are done before."""
        done = step
        for phase in self.training.phases:
            if done < phase.steps:
                return phase, done
            done -= phase.steps
        raise AssertionError("the run is finished")

    def tau(self, step: int) -> float:
        """Temperature of the softmax at a step."""
        own = self.recipe.architecture
        first = own.begin * self.training.steps
        part = min(max((step - first) / max(self.training.steps - first, 1), 0.0), 1.0)
        return float(own.tau * (own.end_tau / own.tau) ** part)
