"""A graph becomes kernel calls: what is fused, and what is never stored.

- A map that is only enlarged, by nearest neighbour or with zeros, is not stored: convolutions read the small one in
  phases (``taps``), pointwise ones are computed before the enlarging, sums and the answer enlarge while they read.
- A sum is done by the convolution that computes the last of its maps.
- A depthwise convolution and the pointwise one behind it are one kernel where the map is large.
- Maps that are concatenated are written side by side.
- In int8 a map becomes bytes once, for all convolutions that multiply it; maps stay float32 beside.
"""

from __future__ import annotations

from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.lowering import arrays
from fastdepth_ros.lowering.convolve import convolution
from fastdepth_ros.lowering.drafts import Plan, settle
from fastdepth_ros.lowering.kernels import maps
from fastdepth_ros.lowering.kernels.ends import Give, Take
from fastdepth_ros.lowering.taps import NEAREST, ZEROS
from fastdepth_ros.lowering.walk import Value, Walk
from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Add, Concatenate, MaxPool, Unpool, Upsample, Weighted
from fastdepth_ros.network.table import INPUT_CHANNELS
from fastdepth_ros.runtime.processor import byte_products


def plan(graph: Graph, height: int, width: int, target: Target, in_bytes: bool = False) -> Plan:
    """The kernel calls of a network.

    Args:
        graph: the network.
        height, width: of the picture [px].
        target: the processor.
        in_bytes: whether convolutions of all channels multiply bytes where that is worth it.

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """
    products = byte_products(target.needs, target.lanes) if in_bytes else None
    walk = Walk(graph, height, width, target, products.name if products else "")
    _take(walk)
    for node in graph.nodes:
        if node.name not in walk.values:  # Others were done along with one before.
            _layer(walk, node)
    _give(walk)
    return settle(walk.drafts, walk.areas)


def reads_bytes(graph: Graph) -> bool:
    """Whether the picture is (height, width, 3) bytes of RGB; else it is (channels, height, width) of float32."""
    return graph.inputs == INPUT_CHANNELS


def _layer(walk: Walk, node: Node) -> None:
    layer = node.layer
    if isinstance(layer, Weighted):
        convolution(walk, node, layer)
    elif isinstance(layer, Upsample) and layer.mode != NEAREST:
        _interpolate(walk, node, layer)
    elif isinstance(layer, Unpool):
        _enlarge(walk, node, layer)
    elif isinstance(layer, MaxPool):
        _pool(walk, node, layer)
    elif isinstance(layer, Concatenate):
        _concatenate(walk, node)
    elif isinstance(layer, Add):
        _add(walk, node, layer)
    else:
        walk.graph.refuse(node.name, f"there is no kernel for {layer.word}", "Add one: docs/extend/network.md.")


def _take(walk: Walk) -> None:
    area = walk.new(PICTURE, (walk.graph.inputs,))
    as_bytes = reads_bytes(walk.graph)
    walk.draft((PICTURE,), (), area, lambda m: Take(m(area), as_bytes))
    walk.values[PICTURE] = Value(area)


def _give(walk: Walk) -> None:
    name = walk.graph.answer.name
    if walk.values[name].expansion == ZEROS:
        walk.values[name] = Value(walk.plain(name))
    value = walk.gathered(name)
    area, factor, channels = value.area, value.factor, walk.graph.channels[name]
    walk.draft(("answer",), (area,), "", lambda m: Give(m(area), channels, factor))


def _enlarge(walk: Walk, node: Node, layer: Unpool) -> None:
    """Nearest neighbour or zeros: nothing is computed, as long as nobody needs it."""
    expansion = NEAREST if isinstance(layer, Upsample) else ZEROS
    value = walk.values[node.reads[0]]
    if value.expansion and not value.expansion == expansion == NEAREST:
        value = Value(walk.plain(node.reads[0]))
    factor = value.factor * layer.factor
    walk.values[node.name] = Value(value.area, expansion, factor) if factor > 1 else value


def _interpolate(walk: Walk, node: Node, layer: Upsample) -> None:
    source = walk.plain(node.reads[0])
    area = walk.areas[source]
    answer = walk.new(node.name, area.parts)

    def pack(_weights: arrays.Weights) -> list[object]:
        return [*arrays.interpolation(layer, area.height), *arrays.interpolation(layer, area.width)]

    walk.draft((node.name,), (source,), answer, lambda m: maps.Interpolate(m(source), m(answer)), pack)
    walk.values[node.name] = Value(answer)


def _pool(walk: Walk, node: Node, layer: MaxPool) -> None:
    source = walk.plain(node.reads[0])
    answer = walk.new(node.name, walk.areas[source].parts)
    kernel, stride = layer.kernel, layer.stride
    walk.draft((node.name,), (source,), answer, lambda m: maps.MaxPool(m(source), m(answer), kernel, stride))
    walk.values[node.name] = Value(answer)


def _add(walk: Walk, node: Node, layer: Add) -> None:
    values = [walk.values[name] for name in node.reads]
    parts = walk.areas[values[0].area].parts
    if not all(walk.alike(walk.areas[value.area].parts, parts) for value in values):
        values = [walk.gathered(name) for name in node.reads]
        parts = (walk.graph.channels[node.name],)
    values = [
        Value(walk.plain(name)) if value.expansion == ZEROS else value
        for name, value in zip(node.reads, values, strict=True)
    ]
    reads, factors = tuple(value.area for value in values), tuple(value.factor for value in values)
    answer = walk.new(node.name, parts)
    walk.draft(
        (node.name,),
        reads,
        answer,
        lambda m: maps.Sum(tuple(zip(map(m, reads), factors, strict=True)), m(answer), layer.activation),
    )
    walk.values[node.name] = Value(answer)


def _concatenate(walk: Walk, node: Node) -> None:
    """Write what is not written into it yet; a layer that stands there twice is copied once."""
    parts: list[int] = []
    there: set[str] = set()
    before = 0
    for number, name in enumerate(node.reads):
        area = walk.plain(name)
        if area != name or walk.homes.get(name) != node.name or name in there:
            area = _copy(walk, node.name, area, number)
        there.add(name)
        walk.areas[area].before = before
        parts.extend(walk.areas[area].parts)
        before += walk.areas.vectors(area)
    walk.areas[node.name].parts = tuple(parts)
    walk.values[node.name] = Value(node.name)


def _copy(walk: Walk, joined: str, source: str, number: int) -> str:
    area = walk.areas[source]
    copied = walk.new_beside(f"{joined}/{number}", area.parts, (area.height, area.width), joined)
    walk.draft((joined,), (source,), copied, lambda m: maps.Sum(((m(source), 1),), m(copied)))
    return copied
