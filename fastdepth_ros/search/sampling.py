"""Candidates that a step runs, by the softmax of logits over a temperature; all in float64, without torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fastdepth_ros.search.space import Space

Logits = Mapping[str, npt.NDArray[np.float64]]
"""Slot -> a logit for each candidate."""

LEAST = 1e-6
"""Probability below which no candidate falls where one is drawn: two can always be."""


def probabilities(logits: npt.NDArray[np.float64], tau: float) -> npt.NDArray[np.float64]:
    """softmax(logits / tau)."""
    raised = np.exp((logits - logits.max()) / tau)
    found: npt.NDArray[np.float64] = raised / raised.sum()
    return found


def drawn(space: Space, logits: Logits, tau: float, count: int, rng: np.random.Generator) -> dict[str, tuple[str, ...]]:
    """Candidates that are drawn for a step, without putting back.

    Args:
        space: of the networks.
        logits: of every slot.
        tau: temperature.
        count: candidates of each slot: one for a step of the weights, two for one of the architecture.
        rng: chance.

    Returns:
        Slot -> candidates, of slots that stand in candidates that were drawn; in the order in which the space has them.
    """
    found: dict[str, tuple[str, ...]] = {}
    for slot in space.slots.values():
        if all(word in found.get(outer, ()) for outer, word in slot.within):
            odds = np.maximum(probabilities(logits[slot.name], tau), LEAST)
            places = rng.choice(len(odds), count, replace=False, p=odds / odds.sum())
            found[slot.name] = tuple(slot.candidates[place] for place in sorted(places))
    return found


def kept(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], places: list[int], tau: float
) -> npt.NDArray[np.float64]:
    """Logits after a step on some of them, by which all others are as probable as before.

    Logits that were not drawn stay; those that were are shifted by one number, tau ln(sum exp(before / tau) / sum
    exp(after / tau)) over them (ProxylessNAS, arXiv 1812.00332, section 3.2).

    Args:
        before: (n,) logits of a slot before the step.
        after: (n,) behind it.
        places: of those that were drawn.
        tau: temperature.
    """
    found = before.copy()
    old, new = before[places] / tau, after[places] / tau
    shift = _log_sum(old) - _log_sum(new)
    found[places] = after[places] + tau * shift
    return found


def _log_sum(values: npt.NDArray[np.float64]) -> float:
    most = float(values.max())
    return most + float(np.log(np.exp(values - most).sum()))
