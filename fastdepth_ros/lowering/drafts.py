"""Kernel calls in the making: while a network is gone through, nobody knows yet which border a map will need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.arrays import Weights
from fastdepth_ros.lowering.kernels.base import Kernel, name_of
from fastdepth_ros.lowering.storage import Areas, Life, share

PICTURE, ANSWER = "picture", "answer"
"""Arguments that are no map of the arena: what the network reads, and what it gives."""

Maps = Callable[[str], Map]


@dataclass(frozen=True)
class Draft:
    """A kernel call.

    Attributes:
        layers: of the graph, whose work it does.
        reads: areas, the kernel's first arguments; none where it reads the picture.
        writes: the area that it writes; empty where it gives the answer.
        kernel: makes the record of the kernel, when the layout of each area is known.
        arrays: makes its weights.
        added: areas that are the last arguments before the answer.
    """

    layers: tuple[str, ...]
    reads: tuple[str, ...]
    writes: str
    kernel: Callable[[Maps], Kernel]
    arrays: Callable[[Weights], list[Any]] = field(default=lambda _: [])
    added: tuple[str, ...] = ()


class Slice(NamedTuple):
    """Part of the arena: first number, how many, and whether they are words of bytes."""

    start: int
    size: int
    words: bool = False


@dataclass(frozen=True)
class Stage:
    """A kernel call whose arguments have their places.

    Attributes:
        layers: of the graph.
        kernel: the record; ``name`` is that of its function.
        reads, writes: slices, :data:`PICTURE` or :data:`ANSWER`.
        arrays: makes its weights, which stand between what it reads and what it adds.
        added: slices.
    """

    layers: tuple[str, ...]
    kernel: Kernel
    reads: tuple[Slice | str, ...]
    writes: Slice | str
    arrays: Callable[[Weights], list[Any]]
    added: tuple[Slice, ...]

    @property
    def name(self) -> str:
        return name_of(self.kernel)


@dataclass(frozen=True)
class Plan:
    """A network as kernel calls.

    Attributes:
        stages: in the order in which they run.
        numbers: float32 numbers of the arena: the most that all maps take at a time.
        sum_of_maps: numbers that they would take if each had memory of its own.
    """

    stages: tuple[Stage, ...]
    numbers: int
    sum_of_maps: int


def settle(drafts: list[Draft], areas: Areas) -> Plan:
    """Give every map its layout and its memory."""
    lives: dict[str, Life] = {}
    for turn, draft in enumerate(drafts):
        for name in (*draft.reads, *draft.added, *([draft.writes] if draft.writes else [])):
            root = areas.root(name)
            life = lives.setdefault(root, Life(areas.size(root), turn, turn))
            life.last = turn
    arena = share(lives)

    def place(name: str) -> Slice:
        start = arena.starts[areas.root(name)] + areas.start(name)
        return Slice(start, areas.size(name), areas[name].words_of is not None)

    stages = tuple(
        Stage(
            draft.layers,
            draft.kernel(areas.map),
            tuple(place(name) for name in draft.reads) or (PICTURE,),
            place(draft.writes) if draft.writes else ANSWER,
            draft.arrays,
            tuple(place(name) for name in draft.added),
        )
        for draft in drafts
    )
    return Plan(stages, arena.size, sum(life.size for life in lives.values()))
