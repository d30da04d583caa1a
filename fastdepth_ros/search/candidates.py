"""Candidates of the usual slots, as rows of blocks that entries have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rows = list[dict[str, dict[str, Any]]]

NOTHING = "skip"
"""Candidate that leaves the map as it is."""


def mbconv_rows(
    slot: str, outputs: int, stride: int, kernels: Sequence[int], expansions: Sequence[int], activation: str
) -> dict[str, Rows]:
    """Inverted residuals of every kernel and expansion.

    Args:
        slot: name of the slot, with which the layers' names begin.
        outputs: channels of the answer.
        stride: of the depthwise convolution.
        kernels: of the depthwise convolution.
        expansions: channels between by those that are read.
        activation: behind expansion and depthwise convolution.

    Returns:
        Word of each candidate, as ``k5e3`` -> its rows.
    """
    found: dict[str, Rows] = {}
    for expansion in expansions:
        for kernel in kernels:
            word = f"k{kernel}e{expansion}"
            arguments = {"outputs": outputs, "kernel": kernel, "stride": stride, "expansion": expansion}
            found[word] = [{"mbconv": {"name": f"{slot}.{word}", "activation": activation, **arguments}}]
    return found


def join_rows(
    slot: str, skip: str, outputs: int, kernels: Sequence[int], expansions: Sequence[int], activation: str
) -> dict[str, Rows]:
    """Levels of a decoder: the map doubled by nearest neighbour, an encoder's map added, and a separable convolution.

    The sum stands before the depthwise convolution, or behind it where nothing expands. Behind it, the depthwise
    convolution reads the doubled map alone: a 5x5 is then four 3x3 on the small map (``lowering/taps.py``).

    Args:
        slot: name of the slot, with which the layers' names begin.
        skip: layer or block whose map is added; the map that is doubled has as many channels.
        outputs: channels of the answer.
        kernels: of the depthwise convolution.
        expansions: channels between by those of the sum; 1 leaves the expansion out.
        activation: behind every convolution.

    Returns:
        Word of each candidate, as ``k5e1.before`` -> its rows.
    """
    found: dict[str, Rows] = {}
    for expansion in expansions:
        for kernel in kernels:
            for place in ("before", "behind") if expansion == 1 else ("before",):
                word = f"k{kernel}e{expansion}.{place}"
                found[word] = _join(f"{slot}.{word}", skip, outputs, kernel, expansion, activation, place)
    return found


def _join(name: str, skip: str, outputs: int, kernel: int, expansion: int, activation: str, place: str) -> Rows:
    doubled: Rows = [{"upsample": {"name": f"{name}.up"}}]
    added: Rows = [{"add": {"name": f"{name}.add", "skip": skip}}]
    each: Rows = [{"depthwise": {"name": f"{name}.dw", "kernel": kernel, "activation": activation}}]
    last: Rows = [{"conv": {"name": f"{name}.pw", "outputs": outputs, "activation": activation}}]
    if place == "behind":
        return [*doubled, *each, *added, *last]
    if expansion == 1:
        return [*doubled, *added, *each, *last]
    # The block expands by the channels that it reads, which a row alone does not know.
    block = {"outputs": outputs, "kernel": kernel, "expansion": expansion, "activation": activation}
    return [*doubled, *added, {"mbconv": {"name": f"{name}.block", **block}}]
