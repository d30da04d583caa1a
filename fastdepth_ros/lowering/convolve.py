"""Convolutions of a graph as drafts: phases of enlarged maps, sums behind them, depthwise and pointwise in one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fastdepth_ros.lowering import arrays
from fastdepth_ros.lowering.drafts import Maps
from fastdepth_ros.lowering.kernels.base import Finish, Window
from fastdepth_ros.lowering.kernels.depthwise import Depthwise as DepthwiseKernel
from fastdepth_ros.lowering.kernels.full import Full as FullKernel
from fastdepth_ros.lowering.kernels.separable import Separable
from fastdepth_ros.lowering.taps import NEAREST, Phase, phases, transposed_phases
from fastdepth_ros.lowering.tiles import SMALL_MAP, STRIP, Tile, rows_between, tile_of, tile_of_bytes
from fastdepth_ros.lowering.walk import Value, Walk
from fastdepth_ros.network.graph import PICTURE, Node
from fastdepth_ros.network.kinds import Add, Depthwise, Full, Transposed, Weighted

MOST_FACTOR = 2
"""Largest enlarging that is read in phases; a larger one would be many kernels, and is stored."""

LEAST_PRODUCTS = 16
"""Products of a number from which on it is made a byte: to make it one takes as long as some of them in float32."""


@dataclass(frozen=True)
class Ending:
    """Manner in which a convolution's answer is written.

    Attributes:
        node: the layer whose answer it is: the convolution, or the sum behind it.
        added: area that is added; empty where nothing is.
        layers: names of all layers whose work is done.
    """

    node: Node
    added: str
    layers: tuple[str, ...]

    def finish(self, layer: Weighted, maps: Maps) -> Finish:
        """Treatment of the sums of ``layer``."""
        if not self.added:
            return Finish(layer.activation)
        assert isinstance(self.node.layer, Add)
        return Finish(layer.activation, maps(self.added), self.node.layer.activation)


def convolution(walk: Walk, node: Node, layer: Weighted) -> None:
    """Draft a convolution, with what can be done along with it."""
    name = node.reads[0]
    value = walk.values[name]
    if value.expansion == NEAREST and layer.kernel == layer.stride == 1:
        _before_enlarging(walk, node, layer, value)
        return
    if value.expansion and (layer.stride > 1 or isinstance(layer, Transposed) or value.factor > MOST_FACTOR):
        value = Value(walk.plain(name))
    source = value.area
    found = _phases(layer, value)
    follower = _pointwise_behind(walk, node, len(found))
    last = follower or node
    parts = walk.areas[source].parts if isinstance(last.layer, Depthwise) else (walk.graph.channels[last.name],)
    ending = _ending(walk, last, parts)
    ending = replace(ending, layers=(*([node.name] if follower else []), *ending.layers))
    answer = walk.new(ending.node.name, parts)
    for row, row_phase in enumerate(found):
        for column, column_phase in enumerate(found):
            taps, firsts = (row_phase.count, column_phase.count), (row_phase.first, column_phase.first)
            stride = 1 if isinstance(layer, Transposed) else layer.stride
            window = Window(firsts, taps, stride, len(found), (row, column))
            _widen(walk, source, answer, window)
            phase = (row_phase, column_phase)
            if follower:
                _separable(walk, (node, follower), source, answer, window, phase, ending)
            else:
                _single(walk, node, source, answer, window, phase, ending)
    for done in ending.layers:
        walk.values[done] = Value(answer)


def _phases(layer: Weighted, value: Value) -> tuple[Phase, ...]:
    if isinstance(layer, Transposed):
        return transposed_phases(layer)
    return phases(layer.kernel, value.factor, value.expansion or NEAREST)


def _widen(walk: Walk, source: str, answer: str, window: Window) -> None:
    read, written = walk.areas[source], walk.areas[answer]
    walk.areas.widen(source, window.reach((read.height, read.width), (written.height, written.width)))


def _before_enlarging(walk: Walk, node: Node, layer: Weighted, value: Value) -> None:
    """A pointwise convolution gives the same for all copies of a pixel: it is computed once."""
    source = walk.areas[value.area]
    parts = source.parts if isinstance(layer, Depthwise) else (walk.graph.channels[node.name],)
    answer = walk.new_beside(f"{node.name}/small", parts, (source.height, source.width))
    (phase,) = phases(1)
    ending = Ending(node, "", (node.name,))
    _single(walk, node, value.area, answer, Window((0, 0), (1, 1)), (phase, phase), ending)
    walk.values[node.name] = value._replace(area=answer)


def _ending(walk: Walk, node: Node, parts: tuple[int, ...]) -> Ending:
    """The sum behind a convolution, if nobody else reads the convolution and the other map is there already."""
    alone, readers = Ending(node, "", (node.name,)), walk.readers[node.name]
    if len(readers) != 1 or not isinstance(readers[0].layer, Add) or len(readers[0].reads) != 2:
        return alone
    (other,) = (name for name in readers[0].reads if name != node.name)
    value = walk.values.get(other)
    if value is None or value.expansion or not walk.alike(walk.parts(other), parts):
        return alone
    return Ending(readers[0], value.area, (node.name, readers[0].name))


def _pointwise_behind(walk: Walk, node: Node, factor: int) -> Node | None:
    """The pointwise convolution that is computed with a depthwise one, row by row; None for a small map."""
    readers = walk.readers[node.name]
    if not isinstance(node.layer, Depthwise) or len(readers) != 1:
        return None
    layer = readers[0].layer
    if not isinstance(layer, Full) or layer.kernel != 1 or layer.stride != 1:
        return None
    height, width = walk.sizes[node.name]
    return readers[0] if height * width // factor**2 > SMALL_MAP else None


def _single(
    walk: Walk,
    node: Node,
    source: str,
    answer: str,
    window: Window,
    phase: tuple[Phase, Phase],
    ending: Ending,
) -> None:
    """One phase of a convolution as a kernel of its own."""
    layer, parts, lanes = node.layer, walk.areas[source].parts, walk.lanes
    assert isinstance(layer, Weighted)
    added = (ending.added,) if ending.added else ()
    if isinstance(layer, Depthwise):
        strip = STRIP[walk.target.family]
        walk.draft(
            ending.layers,
            (source,),
            answer,
            lambda m: DepthwiseKernel(m(source), m(answer), window, ending.finish(layer, m), strip),
            lambda weights: arrays.depthwise(node, weights, phase, parts, lanes),
            added,
        )
        return
    inputs, products = _inputs(walk, parts), _products(walk, node, source, window)
    tile = _tile(walk, answer, window, products)
    walk.draft(
        ending.layers,
        (walk.narrowed(source) if products else source,),
        answer,
        lambda m: FullKernel(m(source), m(answer), inputs, window, ending.finish(layer, m), tile, products),
        lambda weights: _weights(node, weights, phase, parts, lanes, tile, products),
        added,
    )


def _separable(
    walk: Walk,
    pair: tuple[Node, Node],
    source: str,
    answer: str,
    window: Window,
    phase: tuple[Phase, Phase],
    ending: Ending,
) -> None:
    """One phase of a depthwise convolution with the pointwise one behind it."""
    node, follower = pair
    spatial, mixing = node.layer, follower.layer
    assert isinstance(spatial, Weighted)
    assert isinstance(mixing, Weighted)
    parts, lanes, written = walk.areas[source].parts, walk.lanes, walk.areas[answer]
    height, width = written.height // window.factor, written.width // window.factor
    products = _products(walk, follower, node.name, Window((0, 0), (1, 1)))
    tile = _tile(walk, answer, window, products)
    tile = replace(tile, rows=rows_between(height, walk.areas.vectors(source) * lanes * width * 4))
    strip, inputs = STRIP[walk.target.family], _inputs(walk, parts)
    (point,) = phases(1)

    def kernel(m: Maps) -> Separable:
        finish = ending.finish(mixing, m)
        return Separable(m(source), m(answer), inputs, window, spatial.activation, finish, tile, strip, products)

    def pack(weights: arrays.Weights) -> list[Any]:
        return [
            *arrays.depthwise(node, weights, phase, parts, lanes),
            *_weights(follower, weights, (point, point), parts, lanes, tile, products),
        ]

    walk.draft(ending.layers, (source,), answer, kernel, pack, (ending.added,) if ending.added else ())


def _products(walk: Walk, node: Node, source: str, window: Window) -> str:
    """Name of the instructions that multiply bytes, where making them is worth it; else empty.

    The picture has few channels, and what is off in the first layer goes through all others.
    """
    each = walk.graph.channels[node.name] * window.taps[0] * window.taps[1] // window.stride**2
    return walk.products if source != PICTURE and each >= LEAST_PRODUCTS else ""


def _tile(walk: Walk, answer: str, window: Window, products: str) -> Tile:
    written, vectors = walk.areas[answer], walk.areas.vectors(answer)
    height, width = written.height // window.factor, written.width // window.factor
    if products:
        return tile_of_bytes(walk.target, products, vectors, height, width)
    return tile_of(walk.target, vectors, height, width)


def _weights(
    node: Node,
    weights: arrays.Weights,
    phase: tuple[Phase, Phase],
    parts: tuple[int, ...],
    lanes: int,
    tile: Tile,
    products: str,
) -> list[Any]:
    if products:
        return arrays.of_bytes(node, weights, phase, parts, lanes, arrays.Bytes(products, tile.panel))
    return arrays.full(node, weights, phase, parts, lanes, tile.panel)


def _inputs(walk: Walk, parts: tuple[int, ...]) -> int:
    """Channels that a full convolution multiplies: with gaps between them, all that are stored."""
    return parts[0] if len(parts) == 1 else arrays.stored_channels(parts, walk.lanes)
