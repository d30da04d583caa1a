"""Proposals of an iteration: for each group of layers, the least cut that saves enough; and the best of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fastdepth_ros.pruning.latency import Latency
from fastdepth_ros.pruning.widths import Widths

STEP = 8
"""Channels by which widths differ: a vector of AVX2, half of one of AVX-512, and NetAdapt's own step."""


class Proposal(NamedTuple):
    """A network with one group cut.

    Attributes:
        group: the one.
        width: channels that it keeps.
        milliseconds: of the whole network.
    """

    group: str
    width: int
    milliseconds: float


class Judged(NamedTuple):
    """A proposal, and its accuracy: higher is better."""

    proposal: Proposal
    accuracy: float


def proposals(
    latency: Latency, widths: Widths, groups: Iterable[str], target: float, step: int = STEP
) -> list[Proposal]:
    """The least cut of each group that brings the network to ``target`` milliseconds; groups that cannot are left out.

    Args:
        latency: the table.
        widths: of the network as it is.
        groups: those that may be cut.
        target: milliseconds to reach.
        step: widths are multiples of it, and no group keeps fewer.
    """
    found = []
    for group in groups:
        for width in range((widths[group] - 1) // step * step, 0, -step):
            milliseconds = latency.milliseconds({**widths, group: width})
            if milliseconds <= target:
                found.append(Proposal(group, width, milliseconds))
                break
    return found


def reachable(
    latency: Latency, widths: Widths, groups: Sequence[str], now: float, target: float, step: int = STEP
) -> tuple[float, list[Proposal]]:
    """Proposals for ``target``, or for half of the step, a quarter, ..., where no group alone can save so much.

    Returns:
        The target that was taken, and its proposals; none where nothing is left to be cut that would save time.
    """
    for halvings in range(MOST_HALVINGS):
        nearer = now - (now - target) / 2**halvings
        if found := proposals(latency, widths, groups, nearer, step):
            return nearer, found
    return target, []


MOST_HALVINGS = 8


def best(judged: Sequence[Judged], milliseconds: float, accuracy: float) -> Judged:
    """The proposal that loses the least accuracy for each millisecond that it saves.

    Among those that lose none, it is the one whose gain times saving is largest: a gain divided by the saving would
    favour the smallest saving.

    Args:
        judged: at least one.
        milliseconds, accuracy: of the network before.
    """

    def price(one: Judged) -> float:
        lost, saved = accuracy - one.accuracy, max(milliseconds - one.proposal.milliseconds, 1e-9)
        return lost / saved if lost > 0 else lost * saved

    return min(judged, key=price)


def as_widths(widths: Mapping[str, int], proposal: Proposal) -> Widths:
    """Widths of the network of a proposal."""
    return {**widths, proposal.group: proposal.width}
