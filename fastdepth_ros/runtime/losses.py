"""Accuracy that a bundle loses in a precision other than float32, as its manifest holds it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastdepth_ros.errors import SettingError
from fastdepth_ros.files.names import check_name, check_text
from fastdepth_ros.files.reading import real, whole

MOST_PRECISIONS, MOST_SETS = 16, 100


class Loss(NamedTuple):
    """Loss on one set of pictures: float32's means against the precision's.

    Attributes:
        pictures: of the set.
        delta1: float32's minus the precision's; below 0 where the precision is better.
        rmse: the precision's minus float32's [m].
        computed_with: instructions that computed the precision.
    """

    pictures: int
    delta1: float
    rmse: float
    computed_with: str


class Worst(NamedTuple):
    """The set on which most of delta1 is lost."""

    name: str
    loss: Loss


@dataclass(frozen=True)
class Losses:
    """Table of a manifest.

    Attributes:
        weights_sha256: of the weights that were measured.
        sets: precision -> set of pictures -> loss.
    """

    weights_sha256: str
    sets: Mapping[str, Mapping[str, Loss]]

    def worst(self, precision: str) -> Worst | None:
        """The largest loss of delta1 in a precision; None where none was measured."""
        found = (Worst(name, loss) for name, loss in self.sets.get(precision, {}).items())
        return max(found, key=lambda worst: worst.loss.delta1, default=None)

    def with_loss(self, precision: str, name: str, loss: Loss) -> Losses:
        """The table with one set's loss, in the place of what was measured on that set before."""
        return Losses(self.weights_sha256, {**self.sets, precision: {**self.sets.get(precision, {}), name: loss}})

    def to_json(self) -> dict[str, Any]:
        """The table as a manifest holds it."""
        rows = {precision: {name: _row(loss) for name, loss in sets.items()} for precision, sets in self.sets.items()}
        return {"weights_sha256": self.weights_sha256, "lost": rows}

    @classmethod
    def from_json(cls, text: Mapping[str, Any]) -> Losses:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError, LookupError, TypeError, ArithmeticError, AttributeError: it holds what it must not.
        """
        rows = text["lost"]
        if len(rows) > MOST_PRECISIONS or any(len(sets) > MOST_SETS for sets in rows.values()):
            raise ValueError(f"more than {MOST_PRECISIONS} precisions or {MOST_SETS} sets")
        found = {precision: dict(_read(precision, sets)) for precision, sets in rows.items()}
        return cls(str(text["weights_sha256"]), found)


def _row(loss: Loss) -> dict[str, Any]:
    numbers = {"delta1": round(loss.delta1, 5), "rmse_m": round(loss.rmse, 5)}
    return {"pictures": loss.pictures, **numbers, "computed_with": loss.computed_with}


def _read(precision: str, sets: Mapping[str, Any]) -> Iterator[tuple[str, Loss]]:
    for name, row in sets.items():
        loss = Loss(whole(row["pictures"]), real(row["delta1"]), real(row["rmse_m"]), row["computed_with"])
        try:
            check_name("a precision", precision)
            check_text("a set's name", name)
            check_text("its instructions", loss.computed_with)
        except SettingError as error:
            raise ValueError(error.cause) from error
        if loss.pictures < 1 or not abs(loss.delta1) <= 1 or not math.isfinite(loss.rmse):
            raise ValueError(f"the loss on {name} is {row!r:.80}")
        yield name, loss
