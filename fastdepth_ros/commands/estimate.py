"""``fastdepth estimate``: how long a network takes on a board that is not at hand."""

from __future__ import annotations

import argparse

from rich.table import Table
from rich.text import Text

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.estimate.latency import BOARDS, CLOCKS, Estimate, estimate
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.network import NETWORKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    known = ", ".join(NETWORKS)
    parser.add_argument(
        "network", nargs="?", default=DEFAULT, help=f"{known}, or name or folder of a bundle (default: {DEFAULT})"
    )
    parser.add_argument("--board", choices=BOARDS, required=True, help="whose measurements to use")
    parser.add_argument("--mode", choices=CLOCKS, default="max-n", help="the board's power mode (default: max-n)")
    parser.add_argument("--layers", action="store_true", help="show every convolution")


def run(args: argparse.Namespace) -> int:
    """Print the estimate."""
    if args.network in NETWORKS:
        network, height, width = NETWORKS[args.network], 224, 224
    else:
        manifest = find_bundle(args.network).manifest
        network, height, width = manifest.table, manifest.input_height, manifest.input_width
    answer = estimate(network, args.board, height=height, width=width, mode=args.mode)

    console = Terminal()
    title = f"{network.name}, {width}x{height}, {args.board} in {args.mode}"
    console.print(_table(title, answer, args.layers))
    console.print(
        "The network alone, as MIT's TVM kernels of 2019 ran it: no copies, no picture work, no ROS;"
        " not measured with the kernels of this package (docs/boards/estimate.md)."
    )
    return 0


def _table(title: str, answer: Estimate, every_layer: bool) -> Table:
    table = Table("part", "ms", "from", title=title)
    table.columns[1].justify = "right"
    guessed = sum(not layer.measured for layer in answer.layers)
    source = f"{len(answer.layers) - guessed} measured, {guessed} interpolated"
    if every_layer:
        for layer in answer.layers:
            table.add_row(layer.name, f"{layer.milliseconds:.3f}", "measured" if layer.measured else "interpolated")
        table.add_section()
    table.add_row(f"{len(answer.layers)} convolutions", f"{answer.convolutions:.2f}", source)
    table.add_row("upsampling", f"{answer.upsampling:.2f}", "fitted to the paper's totals")
    table.add_section()
    table.add_row(Text("total", "bold"), Text(f"{answer.total:.1f}", "bold"), f"{1000 / answer.total:.0f} per second")
    return table
