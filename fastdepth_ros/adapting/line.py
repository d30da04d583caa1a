"""Weights between those before and those after: as far as other places allow.

On the line from the weights that were fine-tuned to those that came out, what was learned comes sooner than what is
forgotten (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, equation 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

STEPS = 20
"""Points of the line that there are to choose from, beside its start."""


def between(before: Mapping[str, npt.NDArray[Any]], after: Mapping[str, npt.NDArray[Any]], share: float) -> Arrays:
    """The weights at a share of the way, as float16 rounds them.

    Args:
        before, after: arrays by the same names.
        share: 0 gives ``before``, 1 ``after``.
    """
    found = {}
    for name, first in before.items():
        one, two = np.asarray(first, np.float32), np.asarray(after[name], np.float32)
        found[name] = (one + np.float32(share) * (two - one)).astype(np.float16)
    return found


def farthest(
    before: Mapping[str, npt.NDArray[Any]],
    after: Mapping[str, npt.NDArray[Any]],
    forgets: Callable[[Arrays], float],
    most: float,
    steps: int = STEPS,
) -> tuple[float, Arrays]:
    """The share of the way, and the weights there, that goes farthest without forgetting more than ``most``.

    What is forgotten is taken to grow along the line: halves of it are looked at, not all of its points.

    Args:
        before, after: arrays by the same names.
        forgets: what weights have forgotten, 0 or less where nothing.
        most: of it that is allowed.
        steps: shares are multiples of 1 / steps.
    """
    if forgets(between(before, after, 1.0)) <= most:
        return 1.0, between(before, after, 1.0)
    near, far = 0, steps
    while far - near > 1:
        middle = (near + far) // 2
        if forgets(between(before, after, middle / steps)) <= most:
            near = middle
        else:
            far = middle
    return near / steps, between(before, after, near / steps)
