"""Every candidate's layers once, and networks of one candidate a slot, or of several whose answers are mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from fastdepth_ros.network.graph import Graph, Node, follow
from fastdepth_ros.search.assembly import Assembled
from fastdepth_ros.search.space import Space
from fastdepth_ros.training.graph_network import GraphNetwork, folded_graph
from fastdepth_ros.training.unfold import measured_anew

Shares = Mapping[str, Mapping[str, Tensor]]
"""Slot -> candidate -> factor of its answer."""


class SuperNetwork(GraphNetwork):
    """All layers of a space.

    A step computes the layers of its own candidates alone, so its memory and time are those of one network, or of two.

    Args:
        space: of the networks.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space.whole.graph)

    def answer(self, x: Tensor, made: Assembled, shares: Shares | None = None) -> Tensor:
        """Answer of a network of the space.

        Args:
            x: (N, 3, H, W) RGB / 255.
            made: its graph.
            shares: of slots that have several candidates in it; their answers are added with these factors.

        Returns:
            (N, 1, H', W') metres.
        """

        def compute(node: Node, read: Sequence[Tensor]) -> Tensor:
            if node.name not in made.mixes:
                return self._compute(node, read)
            slot, words = made.mixes[node.name]
            assert shares is not None, "several candidates are mixed by their shares"
            terms = [shares[slot][word].to(term) * term for word, term in zip(words, read, strict=True)]
            return sum(terms[1:], terms[0])

        return follow(made.graph, compute, x)[made.graph.answer.name]

    def network(self, graph: Graph) -> GraphNetwork:
        """A network of the space alone, with a copy of its weights."""
        model = GraphNetwork(graph)
        own = self.state_dict()
        model.load_state_dict({name: own[name].clone() for name in model.state_dict()})
        return model

    def arrays(self, graph: Graph, pictures: Tensor) -> dict[str, npt.NDArray[Any]]:
        """Folded arrays of a network of the space; its normalisation is measured on pictures.

        Means and variances that the shared layers have seen are of many networks.

        Args:
            graph: the network.
            pictures: (N, 3, H, W) RGB / 255.
        """
        model = self.network(graph).to(memory_format=torch.channels_last)
        measured_anew(model, pictures)
        return dict(folded_graph(model))
