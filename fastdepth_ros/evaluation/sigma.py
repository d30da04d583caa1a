"""Fits how sure a bundle says it is to pictures with known depth, and puts it into the manifest.

What doubt depends on stays what was learned of the shipped weights; two factors on all of it are found: where nothing
was ever measured, and where much is (``alone`` and ``anchored`` of :class:`~fastdepth_ros.anchoring.prior.Prior`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.prior import FACTORS, Prior
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.anchored import CALIBRATION, Study
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.sensors import Sensor
from fastdepth_ros.runtime.bundle import Bundle, seal

WANTED = 0.6827
"""Share of a Gaussian's errors within one standard deviation."""

REACH, ROUNDS = 16.0, 10
"""Most by which a factor is changed, and halvings of that range's logarithm: the last is by half a per cent."""

LEAST_PICTURES, MOST_PICTURES = 5, 300
"""Pictures below which nothing is fitted, and beyond which every second, third... is left out."""

Cells = tuple[int, int]


class Shares(NamedTuple):
    """Means over pictures.

    Attributes:
        one, two: shares of errors within one and two standard deviations.
        quarter: share of the squared error in the quarter of pixels that is least sure.
    """

    one: float
    two: float
    quarter: float


class Few:
    """Keeps pictures, evenly spread over all that come: a recording of an hour has more maps than memory.

    Attributes:
        kept: at most twice :data:`MOST_PICTURES`.
    """

    def __init__(self) -> None:
        self.kept: list[Outcome] = []
        self._step, self._seen = 1, 0

    def keep(self, outcome: Outcome) -> None:
        """See one more."""
        if self._seen % self._step == 0:
            self.kept.append(outcome)
        self._seen += 1
        if len(self.kept) > 2 * MOST_PICTURES:
            del self.kept[1::2]
            self._step *= 2


def shares(outcomes: Sequence[Outcome], prior: Prior, cells: Cells, sensor: Sensor | None) -> Shares:
    """Shares of errors that sigma describes, each picture alone.

    Args:
        outcomes: with their maps.
        prior: to try.
        cells: rows and columns of the answer.
        sensor: simulated; None is the answer alone.
    """
    study = Study(sensor, 0, False, Anchoring(cells, prior))
    for index, outcome in enumerate(outcomes):
        study.look(outcome, index)
    return Shares(*(float(np.nanmean([row[name] for row in study.rows])) for name in CALIBRATION))


def fit(outcomes: Sequence[Outcome], prior: Prior, cells: Cells, sensors: Sequence[Sensor]) -> Prior:
    """The prior whose factors bring 68 % of the errors within one standard deviation.

    Args:
        outcomes: of pictures that the network never learned from, with their maps.
        prior: to begin with.
        cells: rows and columns of the answer.
        sensors: to simulate; the mean of their shares counts.

    Raises:
        SettingError: there are too few pictures.
    """
    if len(outcomes) < LEAST_PICTURES:
        cause = f"{len(outcomes)} pictures say little of how far answers err"
        raise SettingError(cause, f"Give {LEAST_PICTURES} or more, better of several places.")
    few = outcomes[:: -(-len(outcomes) // MOST_PICTURES)]
    alone = _found(prior.alone, lambda factor: shares(few, replace(prior, alone=factor), cells, None).one)
    found = replace(prior, alone=alone)

    def share(factor: float) -> float:
        tried = replace(found, anchored=factor)
        return float(np.mean([shares(few, tried, cells, sensor).one for sensor in sensors]))

    return replace(found, anchored=_found(prior.anchored, share)) if sensors else found


def _found(start: float, share: Callable[[float], float]) -> float:
    """The factor with which the wanted share lies within one standard deviation; more do with larger ones."""
    low, high = math.log(start / REACH), math.log(start * REACH)
    for _ in range(ROUNDS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if share(math.exp(middle)) < WANTED else (low, middle)
    return round(min(max(math.exp(0.5 * (low + high)), FACTORS[0]), FACTORS[1]), 3)


def write(bundle: Bundle, prior: Prior) -> Bundle:
    """Put a prior into the bundle's manifest; all else of the bundle stays as it is.

    Raises:
        StorageError: the manifest cannot be written; the old one is there still.
    """
    return seal(bundle.path, replace(bundle.manifest, anchoring=prior.to_json()), bundle.manifest.files)
