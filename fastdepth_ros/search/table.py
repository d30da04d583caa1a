"""Milliseconds of every candidate: their sum over a choice, the expected one over shares, and files of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import SettingError, brief
from fastdepth_ros.files.reading import parse_json, read
from fastdepth_ros.pruning.latency import Latency, Unit
from fastdepth_ros.pruning.table import LARGEST, held_against
from fastdepth_ros.search.assembly import Slot
from fastdepth_ros.search.space import Choice, Space

FORMAT = 1
FIXED = "fixed"
"""Name of the part of a latency that every network of the space has."""

REMEDY = "Measure again: remove it, or name another with --latency."


@dataclass(frozen=True)
class Costs:
    """Milliseconds of a space's candidates.

    Attributes:
        about: what they are of, in words.
        fixed: of the layers that stand in no slot [ms].
        slots: slot -> candidate -> milliseconds, without those of slots that stand in it.
    """

    about: str
    fixed: float
    slots: Mapping[str, Mapping[str, float]]

    def expected(self, space: Space, shares: Mapping[str, Mapping[str, Any]]) -> Any:
        """Expected milliseconds: over the slots that are reached, the sum of shares times milliseconds.

        A slot that stands in a candidate of another counts by that one's share.

        Args:
            space: that the costs are of.
            shares: slot -> candidate -> its share, in floats or in scalars of torch; candidates that are not there have
                none.

        Returns:
            Milliseconds of the kind of the shares; where each slot has one of share 1, those of that choice.
        """
        total: Any = self.fixed
        for slot in space.slots.values():
            if not all(word in shares.get(outer, {}) for outer, word in slot.within):
                continue
            own: Any = sum(share * self.slots[slot.name][word] for word, share in shares[slot.name].items())
            for outer, word in slot.within:
                own = own * shares[outer][word]
            total = total + own
        return total

    def milliseconds(self, space: Space, choice: Choice) -> float:
        """Time of one network [ms]."""
        return self.latency(space).milliseconds(places(space, choice))

    def latency(self, space: Space) -> Latency:
        """The costs as pruning has them: a unit for each slot, whose "widths" are places of candidates."""
        units = [Unit(FIXED, (), lambda _: self.fixed)]
        units += [Unit(slot.name, self._groups(slot), self._cost(space, slot)) for slot in space.slots.values()]
        return Latency(self.about, units)

    def _groups(self, slot: Slot) -> tuple[str, ...]:
        return slot.name, *(outer for outer, _ in slot.within)

    def _cost(self, space: Space, slot: Slot) -> Callable[[tuple[int, ...]], float]:
        needed = tuple(space.slots[outer].candidates.index(word) for outer, word in slot.within)
        own = [self.slots[slot.name][word] for word in slot.candidates]
        return lambda found: own[found[0]] if found[1:] == needed else 0.0


def places(space: Space, choice: Choice) -> dict[str, int]:
    """Slot -> place of its candidate in a choice; that of a slot that is not reached is 0."""
    return {
        slot.name: slot.candidates.index(choice[slot.name]) if slot.name in choice else 0
        for slot in space.slots.values()
    }


def costs_of(table: Mapping[str, Any]) -> Costs:
    """The costs of a table of ``measure``."""
    digest = hashlib.sha256(json.dumps([table["fixed"], table["slots"]]).encode()).hexdigest()[:12]
    return Costs(f"{table['about']}, {digest}", float(table["fixed"]), table["slots"])


def read_costs(path: Path, space: Space) -> tuple[Costs, dict[str, Any]]:
    """Costs of a space from a file, and its table.

    Raises:
        SettingError: the file cannot be read, or is of another space.
    """
    try:
        table: dict[str, Any] = parse_json(read(path, LARGEST))
        if table["format"] != FORMAT:
            raise ValueError(f"its format is {table['format']!r:.40}")
        found, digest, name = costs_of(table), table["digest"], table["space"]
        fits = all(set(found.slots[slot.name]) == set(slot.candidates) for slot in space.slots.values())
        numbers = [found.fixed, *(ms for slot in found.slots.values() for ms in slot.values())]
        if not all(isinstance(number, float | int) and 0 <= number < float("inf") for number in numbers):
            raise ValueError("its milliseconds are no numbers")
        known = digest == space.digest and fits
        if known:
            held(space, table)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise SettingError(f"{path} cannot be read ({brief(repr(error), 300)})", REMEDY) from error
    if not known:
        raise SettingError(f"{path} was measured of another space than {space.name} ({name!s:.60})", REMEDY)
    return found, table


def held(space: Space, table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each whole network that was run beside the table's: its time, the sum, and the error [%]."""
    checks = [{**check, "widths": places(space, check["choice"])} for check in table["checks"]]
    return held_against(costs_of(table).latency(space), checks)
