"""Writes a graph as a traced torch module, for `fastdepth bench` to time.

``python -m fastdepth_ros.training FOLDER HEIGHT WIDTH`` reads ``graph.json`` and ``weights.npz`` there, and writes
``network.pt``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fastdepth_ros.evaluation.benchmark.names import GRAPH, NETWORK_TORCH, WEIGHTS
from fastdepth_ros.network.stored import from_json
from fastdepth_ros.training.graph_network import GraphNetwork, graph_from_arrays


class Answering(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A graph that answers its last map alone."""

    def __init__(self, network: GraphNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.network(x)[0]
        return answer


def main() -> None:
    """Read, trace and write as the module says."""
    folder, height, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    graph = from_json(json.loads((folder / GRAPH).read_text(encoding="utf-8")))
    with np.load(folder / WEIGHTS) as arrays:
        network = Answering(graph_from_arrays(graph, dict(arrays)))
    with torch.inference_mode():
        torch.jit.trace(network, torch.zeros(1, graph.inputs, height, width)).save(str(folder / NETWORK_TORCH))


if __name__ == "__main__":
    main()
