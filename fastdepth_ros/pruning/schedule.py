"""Steps of milliseconds that become smaller and still reach the budget.

NetAdapt's step shrinks by a factor in each iteration. Where the first is small and the factor too, their sum stays
below what has to be saved: with 2.5 % and 0.96, the defaults of its published code, it ends at 62.5 %, and no number of
iterations passes that. Here the number of iterations and the factor are given, and the first step follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastdepth_ros.errors import SettingError


@dataclass(frozen=True)
class Schedule:
    """Steps from a network's milliseconds to the budget.

    Attributes:
        start, budget: milliseconds before, and those that have to be reached.
        iterations: number of steps; fewer are taken where cuts save more than their step.
        decay: of each step to the one before.

    Raises:
        SettingError: a number is out of range.
    """

    start: float
    budget: float
    iterations: int
    decay: float = 0.96

    def __post_init__(self) -> None:
        if not 0 < self.budget < self.start:
            cause = f"the budget is {self.budget:g} ms, and the network takes {self.start:.4g} ms"
            raise SettingError(cause, "Name a budget between 0 and that.")
        if self.iterations < 1 or not 0 < self.decay <= 1:
            cause = f"{self.iterations} iterations with steps that shrink by {self.decay:g} lead nowhere"
            raise SettingError(cause, "Iterations are 1 or more, the decay is above 0 and 1 at most.")

    def step(self, iteration: int) -> float:
        """Milliseconds that iteration number 0, 1, ... has to save at least; those of all add up to the whole way."""
        if self.decay == 1:
            return (self.start - self.budget) / self.iterations
        first = (self.start - self.budget) * (1 - self.decay) / (1 - self.decay**self.iterations)
        return first * self.decay**iteration

    def target(self, now: float, iteration: int) -> float:
        """Milliseconds at which iteration number 0, 1, ... has to arrive, from ``now``."""
        if iteration >= self.iterations - 1:
            return self.budget
        return max(self.budget, now - self.step(iteration))
