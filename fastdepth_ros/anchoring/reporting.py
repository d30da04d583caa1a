"""Reports on sources: what became of their anchors in a frame."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import SourceReport
from fastdepth_ros.anchoring.pool import Placed
from fastdepth_ros.anchoring.selection import Chosen

HARDLY = 4.0
"""Standardised error beyond which an anchor had hardly a say in its frame."""

DISAGREES = "disagrees"
"""Cause for which anchors are left out that were fitted, and had hardly a say."""


class Judged(NamedTuple):
    """Anchors of a frame with what was found out.

    Attributes:
        placed: all of them, source after source.
        errors: (n,) standardised errors; None where none were fitted.
        trusted: for each source whether it was.
    """

    placed: Placed
    errors: npt.NDArray[np.float32] | None
    trusted: list[bool]


def teachers(judged: Judged, chosen: list[Chosen]) -> list[str]:
    """Sources that have a say in what is learned."""
    heard = zip(judged.placed.heard, judged.trusted, chosen, strict=True)
    return [own.source for said, trusted, own in heard if trusted and said.size]


def reports(chosen: list[Chosen], judged: Judged | None) -> tuple[SourceReport, ...]:
    """Report on each source; ``judged`` is None in a frame in which none had a usable anchor."""
    if judged is None:
        return tuple(SourceReport(c.source, c.given, 0, c.rejected, math.nan, True) for c in chosen)
    return tuple(_report(i, own, judged) for i, own in enumerate(chosen))


def _report(number: int, own: Chosen, judged: Judged) -> SourceReport:
    placed, errors, trusted = judged
    heard = placed.heard[number]
    used = 0 if errors is None else int(np.count_nonzero(np.abs(errors[placed.parts[number]]) < HARDLY))
    rejected = {**own.rejected, DISAGREES: heard.size - used} if used < heard.size else own.rejected
    ratio = 1.0 if own.relative else math.exp(heard.ratio)
    return SourceReport(own.source, own.given, used, rejected, ratio, trusted[number])
