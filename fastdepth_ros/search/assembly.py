"""A graph of a space: of one candidate of each slot, or of several beside each other whose answers are mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.files.names import is_name
from fastdepth_ros.network.blocks import BLOCKS, BlockMaker
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import PARTS
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.kinds import Activation, Add
from fastdepth_ros.network.layer import Layer
from fastdepth_ros.network.rows import REMEDY, add_rows
from fastdepth_ros.search.candidates import NOTHING, Rows, join_rows, mbconv_rows

MOST_CANDIDATES = 64
"""Candidates of one slot: each is trained and measured. A file of a few kilobytes could name millions of them."""

Picked = Mapping[str, Sequence[str]]
"""Slot -> candidates that are taken; slots of a candidate that is not taken need not be there."""


@dataclass(frozen=True)
class Slot:
    """A place of a network for which there are candidates.

    Attributes:
        name: of the slot.
        candidates: words of its candidates.
        within: the slots, from the outermost on, and their candidates in which it stands; empty for one that every
            network has.
    """

    name: str
    candidates: tuple[str, ...]
    within: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Assembled:
    """A graph of a space.

    Attributes:
        graph: the layers; a candidate's names begin with its slot and word.
        slots: those that the graph reaches, outer ones before those that stand in them.
        owners: layer -> slot and candidate that it belongs to, the innermost; layers of no slot are not there.
        mixes: sum of a slot's candidates -> the slot and the words of its terms, in order.
    """

    graph: Graph
    slots: Mapping[str, Slot]
    owners: Mapping[str, tuple[str, str]]
    mixes: Mapping[str, tuple[str, tuple[str, ...]]]


def assemble(name: str, parts: Mapping[str, Any], picked: Picked | None) -> Assembled:
    """The graph of the candidates that are picked.

    Args:
        name: of the network.
        parts: ``encoder`` and ``decoder`` -> rows.
        picked: of each slot; None takes every candidate of every slot.

    Raises:
        NetworkError: rows say what cannot be, candidates of a slot differ in channels or scale, a slot is there twice,
            or one has no such candidate.
    """
    builder = _Assembling(name, picked)
    for part in PARTS:
        if part in parts:
            builder.part = part
            add_rows(builder, parts[part], f"the {part}", builder.blocks)
    return Assembled(builder.graph(), builder.slots, builder.owners, builder.mixes)


class _Assembling(GraphBuilder):
    def __init__(self, name: str, picked: Picked | None) -> None:
        super().__init__(name)
        self.picked = picked
        self.slots: dict[str, Slot] = {}
        self.owners: dict[str, tuple[str, str]] = {}
        self.mixes: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._within: tuple[tuple[str, str], ...] = ()
        slots: dict[str, BlockMaker] = {"choice": _choice, "mbconv-choice": _mbconv_choice, "join-choice": _join_choice}
        self.blocks = {**BLOCKS, **slots}

    def add(self, name: str, layer: Layer, reads: Sequence[str] = ()) -> str:
        added = super().add(name, layer, reads)
        if self._within:
            self.owners[added] = self._within[-1]
        return added

    def choose(self, name: str, among: Mapping[str, Rows]) -> None:
        """Add the candidates of a slot that are picked, and where there are several the sum of their answers."""
        self._declare(name, among)
        words = tuple(among) if self.picked is None else tuple(self.picked.get(name, ()))
        if not words or not set(words) <= set(among) or len(set(words)) != len(words):
            self._refuse(f"slot {name} has no candidates {quoted(words)}")
        start, within, ends = self.here, self._within, []
        for word in words:
            self.here, self._within = start, (*within, (name, word))
            add_rows(self, among[word], f"candidate {word} of slot {name}", self.blocks, may_be_empty=True)
            ends.append(self.here)
        self._within = within
        if len(set(ends)) != len(ends):
            self._refuse(f"slot {name} has two candidates that do nothing")
        if len(ends) > 1:
            self.mixes[self.add(f"{name}.mix", Add(), ends)] = name, words
        self.close(name)

    def _declare(self, name: str, among: Mapping[str, Rows]) -> None:
        if not is_name(name) or name in self.slots:
            self._refuse(f"a slot cannot be called {quoted(name)}, or there are two")
        self.check_count(name, len(among))
        if len(among) < 2 or not all(is_name(word) for word in among):
            self._refuse(f"slot {name} has the candidates {quoted(list(among))}, and two or more names belong there")
        self.slots[name] = Slot(name, tuple(among), self._within)

    def check_count(self, slot: str, count: int) -> None:
        """Hold the number of a slot's candidates against the most, before they are made."""
        if count > MOST_CANDIDATES:
            self._refuse(f"slot {slot} has {count} candidates, and {MOST_CANDIDATES} are the most")

    def _refuse(self, cause: str) -> NoReturn:
        raise NetworkError(f"{self.name}: {cause}", REMEDY)


def _choice(to: GraphBuilder, name: str, among: dict[str, Any]) -> None:
    """A slot whose candidates are lists of rows; an empty list leaves the map as it is."""
    assert isinstance(to, _Assembling)
    to.choose(name, among)


def _mbconv_choice(
    to: GraphBuilder,
    name: str,
    outputs: int,
    kernels: list[int],
    expansions: list[int],
    stride: int = 1,
    activation: Activation = "relu",
) -> None:
    """A slot of MBConv blocks, and of nothing where input and answer are alike."""
    assert isinstance(to, _Assembling)
    to.check_count(name, len(kernels) * len(expansions))
    among = mbconv_rows(name, outputs, stride, kernels, expansions, activation)
    to.choose(name, {**among, NOTHING: []} if stride == 1 and to.channels == outputs else among)


def _join_choice(
    to: GraphBuilder,
    name: str,
    skip: str,
    outputs: int,
    kernels: list[int],
    expansions: list[int],
    activation: Activation = "relu",
) -> None:
    """A slot of decoder levels, whose skip is added before or behind the depthwise convolution."""
    assert isinstance(to, _Assembling)
    to.check_count(name, len(kernels) * len(expansions))
    to.choose(name, join_rows(name, skip, outputs, kernels, expansions, activation))
