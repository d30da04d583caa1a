"""``fastdepth models``: the bundles that ship with the package, and whether they are whole."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.markdown import Markdown
from rich.table import Column, Table
from rich.text import Text

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.models import DEFAULT, find_bundle, list_bundles
from fastdepth_ros.runtime.bundle import CARD


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("verb", choices=("list", "show", "verify"))
    parser.add_argument("model", nargs="?", help=f"name or folder of a bundle (default: {DEFAULT}; verify: all)")


def run(args: argparse.Namespace) -> int:
    """List, show or verify.

    Returns:
        0, or 1 where a bundle is not whole.
    """
    console = Terminal()
    if args.verb == "show":
        _show(console, args.model or DEFAULT)
        return 0
    names = [args.model] if args.model else list_bundles()
    # Names stay whole however narrow the terminal is: they are what a model is asked for by.
    table = Table(Column("model", no_wrap=True), "network", "input", "depth [m]", "licence", "state")
    broken = 0
    for name in names:
        try:
            m = find_bundle(name).manifest
        except FastDepthError as error:
            broken += 1
            table.add_row(Path(name).name, "", "", "", "", Text(str(error), "red"))
            continue
        size, span = f"{m.input_width}x{m.input_height}", f"{m.min_depth:g} to {m.max_depth:g}"
        table.add_row(m.name, m.network.name, size, span, m.licence, Text("whole", "green"))
    console.print(table if names else "No bundle ships with this package; make one with `fastdepth import`.")
    return 1 if broken else 0


def _show(console: Terminal, model: str) -> None:
    bundle = find_bundle(model)
    console.print_json(data=bundle.manifest.to_json())
    if bundle.names(CARD):
        text = bundle.read(CARD).decode("utf-8", "replace")
        console.print(Markdown("".join(c for c in text if c.isprintable() or c in "\n\t")))
