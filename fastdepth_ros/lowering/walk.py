"""State of the way through a graph: the answers so far, where they lie, who reads them, and the drafts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.lowering import arrays
from fastdepth_ros.lowering.drafts import Draft, Maps
from fastdepth_ros.lowering.kernels.base import Finish, Kernel, Window
from fastdepth_ros.lowering.kernels.bytes import Narrow
from fastdepth_ros.lowering.kernels.full import Full
from fastdepth_ros.lowering.kernels.maps import Sum, Unpool
from fastdepth_ros.lowering.storage import Area, Areas, places, without_gaps
from fastdepth_ros.lowering.taps import NEAREST
from fastdepth_ros.lowering.tiles import tile_of
from fastdepth_ros.network.graph import Graph, Node
from fastdepth_ros.network.kinds import Concatenate
from fastdepth_ros.network.sizes import sizes


class Value(NamedTuple):
    """Answer of a layer: an area, or one that has to be enlarged.

    Attributes:
        area: name of what is stored.
        expansion: ``taps.NEAREST`` or ``taps.ZEROS``; empty where nothing has to be enlarged.
        factor: how many times as large the answer is.
    """

    area: str
    expansion: str = ""
    factor: int = 1


class Walk:
    """The way through a graph.

    Args:
        graph: the network.
        height, width: of the picture [px].
        target: the processor.
        products: name of the instructions that multiply bytes; empty for float32 alone.

    Attributes:
        sizes: name of a layer -> height and width of its answer.
        areas: what is stored.
        drafts: kernel calls so far.
        values: name of a layer -> its answer, as far as the walk has come.
        readers: name of a layer -> those that read it, as often as they do.
        homes: name of a layer -> the concatenation that it is written into.

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """

    def __init__(self, graph: Graph, height: int, width: int, target: Target, products: str = "") -> None:
        self.graph, self.target, self.lanes, self.products = graph, target, target.lanes, products
        self.sizes = sizes(graph, height, width)
        self.areas = Areas(self.lanes)
        self.drafts: list[Draft] = []
        self.values: dict[str, Value] = {}
        self.readers: dict[str, list[Node]] = defaultdict(list)
        self.homes: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        for node in graph.nodes:
            for name in node.reads:
                self.readers[name].append(node)
            if isinstance(node.layer, Concatenate):
                self.areas.by_name[node.name] = Area(*self.sizes[node.name], ())
                self._claim(node)

    def _claim(self, node: Node) -> None:
        """Let what a concatenation reads be written into it: each layer into one, and no other concatenation."""
        for name in node.reads:
            above = self.graph.by_name.get(name)
            if above is None or not isinstance(above.layer, Concatenate):
                self.homes.setdefault(name, node.name)

    def new(self, name: str, parts: tuple[int, ...]) -> str:
        """An area for a layer's answer, in the concatenation that reads it where there is one."""
        height, width = self.sizes[name]
        self.areas.by_name[name] = Area(height, width, parts, home=self.homes.get(name))
        return name

    def new_beside(self, name: str, parts: tuple[int, ...], size: tuple[int, int], home: str | None = None) -> str:
        """An area that stands for a layer's answer in another size or place."""
        self.areas.by_name[name] = Area(*size, parts, home=home)
        return name

    def narrowed(self, area: str) -> str:
        """The area with the bytes of another; all that read it share them."""
        name = f"{area}/bytes"
        if name not in self.areas.by_name:
            source = self.areas[area]
            self.areas.by_name[name] = Area(source.height, source.width, source.parts, words_of=area)
            self.draft((), (area,), name, lambda m: Narrow(m(area), self.products))
        return name

    def parts(self, name: str) -> tuple[int, ...]:
        """Channels of the parts of a layer's answer."""
        return self.areas[self.values[name].area].parts

    def draft(
        self,
        layers: tuple[str, ...],
        reads: tuple[str, ...],
        writes: str,
        kernel: Callable[[Maps], Kernel],
        pack: Callable[[arrays.Weights], list[Any]] = lambda _: [],
        added: tuple[str, ...] = (),
    ) -> None:
        """Put a kernel call behind the others; arguments as of ``drafts.Draft``."""
        self.drafts.append(Draft(layers, reads, writes, kernel, pack, added))

    def plain(self, name: str) -> str:
        """The area of a layer's answer as it is, enlarged if it has to be."""
        small, expansion, factor = self.values[name]
        if not expansion:
            return small
        if name not in self._plain:
            area = self._plain[name] = self.new(name, self.areas[small].parts)
            if expansion == NEAREST:
                self.draft((name,), (small,), area, lambda m: Sum(((m(small), factor),), m(area)))
            else:
                self.draft((name,), (small,), area, lambda m: Unpool(m(small), m(area), factor))
        return self._plain[name]

    def alike(self, parts: tuple[int, ...], others: tuple[int, ...]) -> bool:
        """Whether maps of these parts store their channels in the same places."""
        return np.array_equal(places(parts, self.lanes), places(others, self.lanes))

    def gathered(self, name: str) -> Value:
        """A layer's answer, its channels brought together where there are gaps between them."""
        value = self.values[name]
        area = self.areas[value.area]
        if without_gaps(area.parts, self.lanes):
            return value
        channels, size = sum(area.parts), (area.height, area.width)
        source, whole = value.area, self.new_beside(f"{name}/gathered", (channels,), size)
        stored = arrays.stored_channels(area.parts, self.lanes)
        tile = tile_of(self.target, self.areas.vectors(whole), *size)
        self.draft(
            (name,),
            (source,),
            whole,
            lambda m: Full(m(source), m(whole), stored, Window((0, 0), (1, 1)), Finish(), tile),
            lambda _: arrays.gather(area.parts, self.lanes, tile.panel),
        )
        return value._replace(area=whole)
