"""fastdepth import: weights that others made, as a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastdepth_ros.commands.numbers import sides
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.importing import READERS, import_weights
from fastdepth_ros.network import NETWORKS
from fastdepth_ros.network.entries import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help=f"weights: {', '.join(READERS)}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the new bundle")
    parser.add_argument(
        "--network",
        metavar="NAME",
        help="what the weights are of: one of `fastdepth networks list`, or a file .yaml (default: the variant of"
        " FastDepth that fits)",
    )
    parser.add_argument(
        "--size", metavar="WxH", default="224x224", help="of the pictures that it saw (default: %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="replace the bundle that is in the folder")
    parser.add_argument("--name", help="the bundle's name (default: that of the folder)")


def run(args: argparse.Namespace) -> int:
    """Import and say what came of it."""
    network = (NETWORKS.get(args.network) or entry(args.network).graph) if args.network else None
    bundle = import_weights(args.file, args.out, args.name, network, force=args.force, size=sides(args.size))
    Terminal().print(f"{bundle.path}: {bundle.manifest.network.name}, weights sha256 {bundle.weights_sha256}")
    return 0
