"""The likeliest choice of a space whose milliseconds are within a budget, by dynamic programming."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.search.space import Choice, Space
from fastdepth_ros.search.table import Costs

BINS = 1000
"""Parts of the budget that milliseconds are rounded up to."""

TRIES = 4
"""Draws for each network that is wanted: some are drawn again."""

Chain = tuple["Chain", tuple[str, str]] | None
"""Candidates that were taken, the last first."""

Front = dict[int, tuple[float, Chain]]
"""Bins that are used -> the best sum of log probabilities, and the candidates that give it."""


def likeliest(space: Space, costs: Costs, shares: Mapping[str, Mapping[str, float]], budget: float) -> Choice:
    """The choice within the budget with the largest product of probabilities over the slots that it reaches.

    A slot that stands in a candidate counts by its candidate's probability over that of the slot's likeliest one, or
    networks with fewer slots would be the likelier for that alone.

    Args:
        space: of the networks.
        costs: its milliseconds.
        shares: slot -> candidate -> probability, above 0.
        budget: most milliseconds.

    Raises:
        SettingError: every network takes longer.
    """
    unit = budget / BINS

    def bins(milliseconds: float) -> int:
        return math.ceil(milliseconds / unit - 1e-9)

    def best(within: tuple[tuple[str, str], ...], begun: Front) -> Front:
        for slot in space.slots.values():
            if slot.within != within:
                continue
            likely = max(shares[slot.name].values())
            found: Front = {}
            for word in slot.candidates:
                log = math.log(shares[slot.name][word] / likely)
                used = bins(costs.slots[slot.name][word])
                moved: Front = {
                    before + used: (sum_ + log, (chain, (slot.name, word)))
                    for before, (sum_, chain) in begun.items()
                    if before + used <= BINS
                }
                for place, (sum_, chain) in best((*within, (slot.name, word)), moved).items():
                    if place not in found or sum_ > found[place][0]:
                        found[place] = sum_, chain
            begun = _pareto(found)
        return begun

    found = best((), {bins(costs.fixed): (0.0, None)} if bins(costs.fixed) <= BINS else {})
    if not found:
        cause = f"no network of {space.name} takes {budget:g} ms or less by this table"
        raise SettingError(cause, f"The fastest takes about {_least(space, costs, ()) + costs.fixed:.3g} ms.")
    _, chain = max(found.values(), key=lambda each: each[0])
    choice: Choice = {}
    while chain is not None:
        chain, (slot_name, word) = chain
        choice[slot_name] = word
    return {name: choice[name] for name in space.slots if name in choice}


def likely(
    space: Space, costs: Costs, shares: Mapping[str, Mapping[str, float]], budget: float, count: int, seed: int
) -> list[Choice]:
    """The likeliest choice within the budget, and others by chance.

    Those are the likeliest of probabilities that Gumbel noise has moved: for one slot alone that is a draw by its
    probabilities.

    Args:
        space, costs: of the search.
        shares: slot -> candidate -> probability, above 0.
        budget: milliseconds.
        count: how many at most, all different.
        seed: of the noise.

    Raises:
        SettingError: every network takes longer.
    """
    found = [likeliest(space, costs, shares, budget)]
    rng = np.random.default_rng(seed)
    for _ in range(TRIES * (count - 1)):
        if len(found) == count:
            break
        moved = {}
        for slot, own in shares.items():
            raised = np.array(list(own.values())) * np.exp(rng.gumbel(size=len(own)))
            moved[slot] = dict(zip(own, (raised / raised.sum()).tolist(), strict=True))
        choice = likeliest(space, costs, moved, budget)
        if choice not in found:
            found.append(choice)
    return found


def _pareto(front: Front) -> Front:
    """Without what uses more and is no likelier."""
    found: Front = {}
    most = -math.inf
    for place in sorted(front):
        if front[place][0] > most:
            found[place] = front[place]
            most = front[place][0]
    return found


def _least(space: Space, costs: Costs, within: tuple[tuple[str, str], ...]) -> float:
    """Milliseconds of the fastest candidates of the slots that stand in ``within``."""
    return sum(
        min(
            costs.slots[slot.name][word] + _least(space, costs, (*within, (slot.name, word)))
            for word in slot.candidates
        )
        for slot in space.slots.values()
        if slot.within == within
    )
