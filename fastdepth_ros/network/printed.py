"""A graph as people read it: a line for each layer, and sums."""

from __future__ import annotations

from collections.abc import Container, Sequence

from fastdepth_ros.network.count import LayerCount, Totals, count, total
from fastdepth_ros.network.graph import Graph, Node
from fastdepth_ros.network.kinds import MaxPool, Unpool, Upsample, Weighted

HEADS = ("layer", "kind", "reads", "answer", "weights", "M MAC", "sees")


def printed(graph: Graph, height: int = 224, width: int = 224) -> str:
    """Lines of a table: each layer's kind, what it reads, its answer, weights, multiply-accumulates and field.

    Args:
        graph: the network.
        height, width: of the picture [px].

    Returns:
        Text in columns. ``answer`` is channels x width x height, ``sees`` the receptive field [px]; what a layer reads
        is told where it is not the line before.

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """
    rows = count(graph, height, width)
    lines, before = [HEADS], ""
    for row in rows:
        reads = "" if row.reads == (before,) else " ".join(row.reads)
        lines.append((row.name, _kind(graph.by_name[row.name], row.kind), reads, _answer(row), *_numbers(row)))
        before = row.name
    for part in dict.fromkeys(row.part for row in rows if row.part):
        lines.append((part, "", "", "", *_sums(total(rows, part)), ""))
    lines.append((graph.name, "", "", "", *_sums(total(rows)), f"{rows[-1].field}"))
    return columns(lines, numbers={4, 5, 6})


def _kind(node: Node, word: str) -> str:
    layer, words = node.layer, [word]
    if isinstance(layer, (Weighted, MaxPool)):
        words += [f"{layer.kernel}x{layer.kernel}"] * (layer.kernel > 1) + [f"/{layer.stride}"] * (layer.stride > 1)
    if isinstance(layer, Unpool):
        words += [f"x{layer.factor}"]
    if isinstance(layer, Upsample):
        words += [layer.mode]
    activation = getattr(layer, "activation", "none")
    return " ".join([*words, activation] if activation != "none" else words)


def _answer(row: LayerCount) -> str:
    return f"{row.channels}x{row.width}x{row.height}"


def _numbers(row: LayerCount) -> tuple[str, str, str]:
    return (f"{row.weights:,}" if row.weights else "", f"{row.macs / 1e6:.2f}" if row.macs else "", f"{row.field}")


def _sums(sums: Totals) -> tuple[str, str]:
    return f"{sums.weights:,}", f"{sums.macs / 1e6:.2f}"


def columns(lines: Sequence[Sequence[str]], numbers: Container[int]) -> str:
    """Lines of text whose columns stand below each other; those in ``numbers`` are flush right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        [cell.rjust(width) if i in numbers else cell.ljust(width) for i, (cell, width) in enumerate(line)]
        for line in (zip(line, widths, strict=True) for line in lines)
    )
    return "\n".join("  ".join(line).rstrip() for line in padded)
