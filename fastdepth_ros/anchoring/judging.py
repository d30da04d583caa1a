"""Judgement on the sources of one frame: which are believed, and what it means that they say what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from fastdepth_ros.anchoring import close_up
from fastdepth_ros.anchoring.agreement import difference
from fastdepth_ros.anchoring.fit import BIAS
from fastdepth_ros.anchoring.line import Array, Belief, quadratic
from fastdepth_ros.anchoring.pool import Gate, Heard, Placed
from fastdepth_ros.anchoring.selection import Chosen
from fastdepth_ros.anchoring.sources import Offset, believed, doubt_of, offset

FELLOWS = 5
"""Anchors from which on they are held against their own median, and not against what was expected."""

MEMORY = 0.15
"""Error that memory may have when it takes sides between sources [log m]."""


def judge(
    placed: Placed, chosen: list[Chosen], several: bool, belief: Belief, stationary: Array, local: float
) -> list[Gate]:
    """Gates of the sources: closed for those that are not believed.

    A source alone is held against the prior, for the place may be new; several are held against each other, and memory
    takes sides.

    Args:
        placed: their anchors.
        chosen: the same by source.
        several: whether more than one says anything.
        belief: in the line, that they are held against.
        stationary: (6, 6) covariance of the line where nothing is remembered.
        local: standard deviation of the local part [log m].
    """
    offsets: list[Offset | None] = []
    for heard in placed.heard:
        varies = max(local, heard.scatter) if several else local
        said = offset(heard.size, heard.middle, heard.spread, heard.line, belief.covariance, varies, BIAS)
        offsets.append(Offset(said.middle, said.variance, said.prior + MEMORY**2) if several else said)
    with_scale = [
        None if c.relative or not h.size else o for c, h, o in zip(chosen, placed.heard, offsets, strict=True)
    ]
    trusted = believed(with_scale, _words(placed, with_scale))
    return [
        _gate(heard, said, float(stationary[1, 1]), is_open=good and (close or not heard.contradicts))
        for heard, said, good, close in zip(placed.heard, offsets, trusted, close_ups(placed, chosen), strict=True)
    ]


def _words(placed: Placed, offsets: Sequence[Offset | None]) -> Callable[[int, int], Offset | None]:
    """Words of sources on each other, as :func:`~fastdepth_ros.anchoring.sources.believed` asks for them.

    Where both look at the same that alone is compared. Who looks elsewhere says nothing against one that says less:
    what is near hides there. Against one that says more it does.
    """

    def word(one: int, other: int) -> Offset | None:
        own, theirs = offsets[one], offsets[other]
        assert own is not None
        assert theirs is not None
        apart = difference(placed, placed.parts[one], placed.parts[other])
        if math.isfinite(apart):
            return theirs._replace(middle=own.middle - apart)
        return None if own.middle < theirs.middle else theirs

    return word


def close_ups(placed: Placed, chosen: Sequence[Chosen]) -> list[bool]:
    """Whether each source says that this is a close-up, of which the answer's form tells nothing."""
    return [
        not own.relative and heard.size > 0 and close_up.hides(heard.ratio)
        for heard, own in zip(placed.heard, chosen, strict=True)
    ]


def nearer(placed: Placed, chosen: list[Chosen], trusted: list[bool], belief: Belief, unknown: Belief) -> float | None:
    """Variance of the logarithm of depth by which believed sources say more of a close-up than a belief holds likely.

    Args:
        placed: the frame's anchors.
        chosen: the same by source.
        trusted: whether each of them is believed.
        belief: in the line; the settled one.
        unknown: that in a place that was never seen: what is likely there is no close-up, but a new place perhaps.

    Returns:
        None where this is none.
    """
    heard = zip(placed.heard, chosen, trusted, strict=True)
    said = [said for said, own, sure in heard if sure and said.size and not own.relative]
    if not close_up.is_possible(max((each.ratio for each in said), default=0.0)):
        return None

    def beyond(known: Belief) -> float:
        prior = max(quadratic(each.line, known.covariance) for each in said)
        return close_up.variance((each.ratio - float(each.line @ known.mean) for each in said), prior) - prior

    return beyond(belief) if beyond(unknown) else None


def _gate(heard: Heard, said: Offset | None, bend: float, *, is_open: bool) -> Gate:
    """The gate of anchors that are not far off their median, or, of few, off what was expected."""
    if heard.size < FELLOWS:
        return Gate(0.0, close_up.variance((said.middle,), said.prior) if said else 0.0, 0.0, 0.0, is_open)
    # What a line may still bend between them.
    return Gate(heard.middle, 0.0, bend, float(heard.line[1]), is_open)


def uncorroborated(placed: Placed, chosen: list[Chosen], trusted: list[bool], stationary: Array, local: float) -> float:
    """Doubt of the logarithm of depth because one source alone says the scale; 0 where several do, or none.

    Args:
        placed: the frame's anchors.
        chosen: the same by source.
        trusted: whether each of them is believed.
        stationary, local: as :func:`judge` has them.
    """
    said = [heard for heard, own, sure in zip(placed.heard, chosen, trusted, strict=True) if sure and not own.relative]
    said = [heard for heard in said if heard.size]
    if len(said) != 1:
        return 0.0
    own = offset(said[0].size, said[0].ratio, said[0].spread, said[0].line, stationary, local, BIAS)
    return doubt_of(own.middle, own.prior + own.variance)
