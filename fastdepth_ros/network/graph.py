"""A network as a graph of layers: data that is held against itself when it is made, and the way through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from math import lcm
from typing import Any, NoReturn, TypeVar

import numpy.typing as npt

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.files.names import is_name
from fastdepth_ros.network.arrays import hold
from fastdepth_ros.network.kinds import Weighted
from fastdepth_ros.network.layer import Layer, MisfitError
from fastdepth_ros.network.table import INPUT_CHANNELS, MOST_CHANNELS

Value = TypeVar("Value")

PICTURE = "picture"
"""Name by which layers read the network's input: RGB / 255."""

MOST_LAYERS = 2000
MOST_SCALE = 1024
"""Most that a map is smaller or larger than the picture, and the largest multiple that a picture's sides have to be."""

MOST_SIDE = 8192
"""Height and width of a picture that a graph is asked about [px]."""

REMEDY = "A graph's layers, words and numbers are those of network/kinds.py (docs/extend/network.md)."


@dataclass(frozen=True)
class Node:
    """A layer with its name, and the names of what it reads: other layers, or :data:`PICTURE`.

    Attributes:
        part: ``encoder`` or ``decoder``, for counting; empty where nobody says.
    """

    name: str
    layer: Layer
    reads: tuple[str, ...]
    part: str = ""


@dataclass(frozen=True)
class Graph:
    """A network: layers and who reads whom. The last node's answer is the network's.

    Attributes:
        name: what entries and manifests call it.
        nodes: in the order in which they are computed; given in any order, they are sorted.
        inputs: channels of the picture.
        loose: whether the answer may lie beside the picture's pixels. A map of 15 rows that was halved to 8 and doubled
            to 16 is then taken as it is (Laina's networks: 128x160 for 228x304); else such a picture is refused.

    Raises:
        NetworkError: a name is there twice or is none, a layer is missing, layers read each other in a circle, channels
            or scales of maps do not meet, or a number or word is not allowed. The cause names the layer.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: int = INPUT_CHANNELS
    loose: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.nodes) <= MOST_LAYERS:
            raise NetworkError(f"{self.name} has {len(self.nodes)} layers, and 1 to {MOST_LAYERS} are allowed", REMEDY)
        for node in self.nodes:
            if not is_name(node.name) or node.name == PICTURE:
                raise NetworkError(f"{self.name}: a layer cannot be called {quoted(node.name)}", REMEDY)
        if len(self.by_name) != len(self.nodes):
            names = [node.name for node in self.nodes]
            twice = next(name for name in names if names.count(name) > 1)
            raise NetworkError(f"{self.name} has two layers called {twice}", REMEDY)
        object.__setattr__(self, "nodes", self._sorted())
        assert self.channels  # Asked once, it refuses what cannot be.
        self._check_scales()
        read = {name for node in self.nodes for name in node.reads}
        for node in self.nodes[:-1]:
            if node.name not in read:
                self.refuse(node.name, "nobody reads its answer")

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Name -> node."""
        return {node.name: node for node in self.nodes}

    @property
    def answer(self) -> Node:
        """The layer whose answer is the network's."""
        return self.nodes[-1]

    @cached_property
    def channels(self) -> dict[str, int]:
        """Name -> channels of its answer; the picture's, too."""
        found = {PICTURE: self.inputs}
        for node in self.nodes:
            try:
                node.layer.check()
                found[node.name] = node.layer.channels(*(found[name] for name in node.reads))
            except MisfitError as misfit:
                self.refuse(node.name, str(misfit))
            if found[node.name] > MOST_CHANNELS:
                self.refuse(node.name, f"its answer has {found[node.name]} channels, more than {MOST_CHANNELS}")
        return found

    @cached_property
    def scales(self) -> dict[str, Fraction]:
        """Name -> side of its answer by the picture's, where nothing is cut off; the picture's, too."""
        found = {PICTURE: Fraction(1)}
        for node in self.nodes:
            found[node.name] = found[node.reads[0]] * node.layer.scale
        return found

    @property
    def multiple(self) -> int:
        """Number whose multiples every height and width can be [px]: the network's largest stride."""
        return lcm(*(scale.denominator for scale in self.scales.values()))

    def input_channels(self, node: Node) -> int:
        """Channels of the first map that a layer reads."""
        return self.channels[node.reads[0]]

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name of each array, ``LAYER.weight`` and where there is one ``LAYER.bias`` -> its shape."""
        found: dict[str, tuple[int, ...]] = {}
        for node in self.nodes:
            shape = node.layer.weight_shape(self.input_channels(node))
            if shape is not None:
                found[f"{node.name}.weight"] = shape
            if isinstance(node.layer, Weighted) and node.layer.offset != "none":
                found[f"{node.name}.bias"] = (self.channels[node.name],)
        return found

    def check_weights(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        """Hold arrays against the graph: every one there, of the right shape, finite, and none besides.

        Raises:
            WeightsError: names the first layer that does not fit.
        """
        hold(self.name, self.weight_shapes(), weights)

    def refuse(self, name: str, cause: str, remedy: str = REMEDY) -> NoReturn:
        """Raise a NetworkError about a layer, in one line."""
        raise NetworkError(f"{self.name}: layer {name}: {cause}", remedy)

    def _sorted(self) -> tuple[Node, ...]:
        last = self.nodes[-1]
        for node in self.nodes:
            for name in node.reads:
                if name != PICTURE and name not in self.by_name:
                    self.refuse(node.name, f"it reads {quoted(name)}, which is no layer")
            if len(node.reads) < 2 if node.layer.joins else len(node.reads) != 1:
                self.refuse(node.name, f"it reads {len(node.reads)} maps, and {node.layer.word} cannot")
        seen = {PICTURE}
        for node in self.nodes:  # Most are given in order, and keep theirs.
            if not seen.issuperset(node.reads):
                break
            seen.add(node.name)
        else:
            return self.nodes
        try:
            order = [*TopologicalSorter({node.name: node.reads for node in self.nodes}).static_order()]
        except CycleError as error:
            circle = [str(name) for name in error.args[1]]
            self.refuse(circle[0], f"it reads its own answer ({' <- '.join(circle[:10])})")
        if reader := next((node.name for node in self.nodes if last.name in node.reads), None):
            self.refuse(last.name, f"it is given last, as the network's answer, but {reader} reads it")
        order.remove(last.name)
        return tuple(self.by_name[name] for name in (*order, last.name) if name != PICTURE)

    def _check_scales(self) -> None:
        multiple = 1
        for node in self.nodes:
            found = [self.scales[name] for name in node.reads]
            if len(set(found)) > 1:
                maps = (f"{name} ({scale} of the picture)" for name, scale in zip(node.reads, found, strict=True))
                self.refuse(node.name, f"its maps are of different scales: {' and '.join(maps)}")
            scale = self.scales[node.name]
            multiple = lcm(multiple, scale.denominator)
            if max(Fraction(multiple), scale) > MOST_SCALE:
                said = f"its answer is {scale} of the picture, whose sides have to be multiples of {multiple}"
                self.refuse(node.name, f"{said}, and {MOST_SCALE} is the most")


def weighted(graph: Graph) -> list[Node]:
    """Layers that have weights."""
    return [node for node in graph.nodes if isinstance(node.layer, Weighted)]


def follow(
    graph: Graph,
    compute: Callable[[Node, Sequence[Value]], Value],
    picture: Value,
    keep: Iterable[str] = (),
) -> dict[str, Value]:
    """Have all layers computed, from the picture to the answer; a map goes when its last reader has read it.

    Args:
        graph: the network.
        compute: answer of a layer to the maps that it reads.
        picture: what layers read as :data:`PICTURE`.
        keep: names of layers whose answers are wanted beside the network's.

    Returns:
        Name -> answer, of the network's last layer and of those in ``keep``.
    """
    wanted = {*keep, graph.answer.name}
    last_reader = {name: node.name for node in graph.nodes for name in node.reads}
    maps = {PICTURE: picture}
    for node in graph.nodes:
        maps[node.name] = compute(node, [maps[name] for name in node.reads])
        for name in set(node.reads) - wanted:
            if last_reader[name] == node.name:
                del maps[name]
    return maps
