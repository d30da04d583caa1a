"""The known network that a file's weights are of."""

from __future__ import annotations

from collections.abc import Callable

from fastdepth_ros.network import NETWORKS, Convolution, Network

Shape = tuple[int, ...]
ShapeOf = Callable[[int, Convolution], Shape | None]
"""(Place of a convolution in its table, the convolution) -> the shape of its weights in the file, if it is there."""


def likeliest(shape_of: ShapeOf) -> Network | None:
    """The known table that agrees with the file in the most layers, from the first to one that differs.

    The file may still differ from it: who asks checks the layers, and names the first that does not fit.

    Returns:
        None where the first convolution has as many outputs in the file as in no table.
    """

    def outputs(network: Network) -> int:
        first = shape_of(0, network.first)
        return first[0] if first else 0

    def agreement(network: Network) -> int:
        pairs = enumerate(network.convolutions)
        return next((i for i, conv in pairs if shape_of(i, conv) != conv.weight_shape), len(network.convolutions))

    known = [network for network in NETWORKS.values() if outputs(network) == network.first.outputs]
    return max(known, key=agreement, default=None)
