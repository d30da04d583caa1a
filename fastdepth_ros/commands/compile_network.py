"""``fastdepth compile --network``: a network of the papers becomes a module for a processor."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.importing import npz
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.noise import noise_weights


def run(args: argparse.Namespace) -> int:
    """Compile the entry ``args.network`` with the weights of a file, or of noise, and print the module's folder."""
    from fastdepth_ros.lowering.build import compile_graph

    found = entry(args.network)
    weights = npz.read(args.weights) if args.weights else noise_weights(found.graph, args.seed)
    height, width = args.height or found.height, args.width or found.width
    out = args.out or Path(f"{found.name}-{args.target}")
    console = Terminal(stderr=True)
    with console.status(f"Compiling {found.name}") as status:
        said = status.update
        compile_graph(found.graph, weights, args.target, out, height, width, precision=args.precision, progress=said)
    Terminal(soft_wrap=True).print(out, highlight=False)
    return 0
