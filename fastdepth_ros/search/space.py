"""A space of networks: an entry's file in which some rows are slots."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.files.names import is_name
from fastdepth_ros.files.yaml_text import read_yaml
from fastdepth_ros.network.entries import PARTS
from fastdepth_ros.network.graph import MOST_SIDE, Graph
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.search.assembly import Assembled, Picked, Slot, assemble

FOLDER = Path(__file__).parent / "spaces"
WORDS = {"about", "source", "reading", "input", *PARTS}
REMEDY = "A space is written as docs/search.md says."

MOST_NETWORKS = 10**300
"""Networks of a space: a number that a float can hold."""

Choice = dict[str, str]
"""Slot -> candidate, of all slots that the network reaches."""


@dataclass(frozen=True)
class Space:
    """A space of networks.

    Attributes:
        name: that of its file.
        about, source, reading: as of an entry.
        height, width: of the picture [px].
        parts: ``encoder`` and ``decoder`` -> rows.
    """

    name: str
    about: str
    source: str
    reading: str
    height: int
    width: int
    parts: Mapping[str, Any]

    @cached_property
    def whole(self) -> Assembled:
        """Every candidate of every slot."""
        return assemble(self.name, self.parts, None)

    @property
    def slots(self) -> Mapping[str, Slot]:
        """Name -> slot, outer ones before those that stand in them."""
        return self.whole.slots

    @cached_property
    def digest(self) -> str:
        """A few digits of a hash over all layers and slots, for files to know their space again."""
        words = [[slot.name, slot.candidates, slot.within] for slot in self.slots.values()]
        text = json.dumps([to_json(self.whole.graph), self.height, self.width, words], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def networks(self) -> int:
        """Number of networks in it."""
        return _networks(self.slots, ())

    def assembled(self, picked: Picked) -> Assembled:
        """The graph of the candidates that are picked; several of a slot are mixed."""
        return assemble(self.name, self.parts, picked)

    def graph(self, choice: Mapping[str, str], name: str = "") -> Graph:
        """One network.

        Raises:
            NetworkError: a slot that it reaches is missing, or has no such candidate.
        """
        picked = {slot: (word,) for slot, word in choice.items()}
        return assemble(name or self.name, self.parts, picked).graph


def reached(slot: Slot, choice: Mapping[str, str]) -> bool:
    """Whether a network of a choice has a slot."""
    return all(choice.get(outer) == word for outer, word in slot.within)


def names() -> tuple[str, ...]:
    """Names of the spaces that ship."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def space_named(name: str) -> Space:
    """The space of that name, or of a file if ``name`` ends in ``.yaml``.

    Raises:
        NetworkError: there is none, or its file says what cannot be.
    """
    if not name.endswith(".yaml") and name not in names():
        raise NetworkError(f"{quoted(name)} is no space of networks", f"Known are {', '.join(names())}.")
    return read_space(Path(name) if name.endswith(".yaml") else FOLDER / f"{name}.yaml")


def read_space(path: Path) -> Space:
    """A space's file.

    Raises:
        NetworkError: it cannot be read, or says what cannot be; the cause names the row or the layer.
    """
    try:
        table = read_yaml(path)
    except (OSError, ValueError) as error:
        raise NetworkError(f"{path} cannot be read ({error})", REMEDY) from None
    name = path.stem
    if not is_name(name) or not isinstance(table, dict) or not set(table) <= WORDS or not set(table) & set(PARTS):
        raise NetworkError(f"{path} is no space of networks: its words are {', '.join(sorted(WORDS))}", REMEDY)
    texts = {word: " ".join(str(table.get(word, "")).split()) for word in ("about", "source", "reading")}
    size = table.get("input")
    sides = list(size.values()) if isinstance(size, dict) and set(size) == {"width", "height"} else []
    if not sides or not all(type(side) is int and 1 <= side <= MOST_SIDE for side in sides):
        raise NetworkError(f"{name}: input is {quoted(size)} where width and height belong", REMEDY)
    parts = {part: table[part] for part in PARTS if part in table}
    found = Space(name, **texts, height=table["input"]["height"], width=table["input"]["width"], parts=parts)
    if not found.slots:
        raise NetworkError(
            f"{name} has no slot: it is one network", "Give it a row choice, mbconv-choice or join-choice."
        )
    if found.networks > MOST_NETWORKS:
        raise NetworkError(f"{name} has {len(str(found.networks))} digits of networks", "Give it fewer slots.")
    return found


def _networks(slots: Mapping[str, Slot], within: tuple[tuple[str, str], ...]) -> int:
    found = 1
    for slot in slots.values():
        if slot.within == within:
            found *= sum(_networks(slots, (*within, (slot.name, word))) for word in slot.candidates)
    return found
