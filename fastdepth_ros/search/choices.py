"""Choices of a space: a few that cover every candidate, and others by chance."""

from __future__ import annotations

import numpy as np

from fastdepth_ros.search.space import Choice, Space, reached


def covering(space: Space, seed: int = 0) -> list[Choice]:
    """Choices of which every candidate of every slot is in one or more; where nothing is missing, chance decides.

    There are about as many as the largest slot has candidates, and more where slots stand in candidates of others.
    """
    rng = np.random.default_rng(seed)
    missing = {(slot.name, word) for slot in space.slots.values() for word in slot.candidates}
    below = {pair: {pair} for pair in missing}
    for slot in space.slots.values():
        for outer in slot.within:
            below[outer] |= {(slot.name, word) for word in slot.candidates}
    found = []
    while missing:
        choice: Choice = {}
        for slot in space.slots.values():
            if reached(slot, choice):
                wanted = [len(below[slot.name, word] & missing) for word in slot.candidates]
                best = [word for word, count in zip(slot.candidates, wanted, strict=True) if count == max(wanted)]
                choice[slot.name] = best[int(rng.integers(len(best)))]
        missing -= set(choice.items())
        found.append(choice)
    return found


def by_chance(space: Space, seed: int) -> Choice:
    """A choice in which every candidate of a slot is as likely as the others."""
    rng = np.random.default_rng(seed)
    choice: Choice = {}
    for slot in space.slots.values():
        if reached(slot, choice):
            choice[slot.name] = slot.candidates[int(rng.integers(len(slot.candidates)))]
    return choice
