"""``fastdepth merge``: one bundle of several, the mean of their weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.importing.merging import merge
from fastdepth_ros.models import find_bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "bundle",
        nargs="+",
        metavar="BUNDLE",
        help="names or folders of bundles whose weights began alike: runs of one recipe by different seeds, or weights"
        " before and after a training",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the new bundle")
    parser.add_argument(
        "--shares",
        type=float,
        nargs="+",
        default=[],
        metavar="SHARE",
        help="weight of each, in their order (default: all alike)",
    )
    parser.add_argument("--name", help="the bundle's name (default: that of the folder)")


def run(args: argparse.Namespace) -> int:
    """Merge and say what came of it."""
    bundle = merge([find_bundle(name) for name in args.bundle], args.out, args.shares, args.name)
    Terminal().print(f"{bundle.path}: weights sha256 {bundle.weights_sha256}", soft_wrap=True)
    return 0
