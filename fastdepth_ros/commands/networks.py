"""``fastdepth networks``: the networks that the package knows by name, layer by layer."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from fastdepth_ros.errors import SettingError
from fastdepth_ros.network.count import count, peak_values, total
from fastdepth_ros.network.entries import Entry, entry, names
from fastdepth_ros.network.printed import columns, printed
from fastdepth_ros.network.stored import to_json

PICTURES = (".png", ".svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("verb", choices=("list", "show"))
    parser.add_argument("network", nargs="?", help="name of a network, or an entry's file that ends in .yaml")
    parser.add_argument("--width", type=int, help="of the picture [px] (default: the entry's)")
    parser.add_argument("--height", type=int, help="of the picture [px] (default: the entry's)")
    parser.add_argument("--json", action="store_true", help="layers and counts as JSON")
    parser.add_argument(
        "--beside", metavar="NAME", help="another network, pale in the plot, whose layers have the same names"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw channels and sizes, as .png or .svg")


def run(args: argparse.Namespace) -> int:
    """List all networks, or show one.

    Returns:
        0.
    """
    if args.verb == "list":
        _list([entry(name) for name in names()], args.json)
        return 0
    if args.network is None:
        raise SettingError("No network is named", "Name one of those that `fastdepth networks list` shows.")
    if args.plot and args.plot.suffix not in PICTURES:
        raise SettingError(f"--plot cannot be {args.plot}", f"Let the file end in {' or '.join(PICTURES)}.")
    found, beside = entry(args.network), entry(args.beside).graph if args.beside else None
    height = found.height if args.height is None else args.height
    width = found.width if args.width is None else args.width
    if args.json:
        rows = count(found.graph, height, width)
        peak = peak_values(found.graph, height, width)
        about = {"height": height, "width": width, "peak_values": peak, **asdict(total(rows))}
        told = {**about, "graph": to_json(found.graph), "layers": [asdict(row) for row in rows]}
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        sys.stdout.write(_shown(found, height, width))
    if args.plot:
        from fastdepth_ros.evaluation.network_picture import draw_network

        draw_network(args.plot, found.graph, height, width, beside)
    return 0


def _shown(found: Entry, height: int, width: int) -> str:
    lines = [f"{found.name} at {width}x{height}", found.about, f"Source: {found.source}"]
    if found.reading:
        lines.append(f"This project's reading: {found.reading}")
    peak = 4 * peak_values(found.graph, height, width) / 1e6
    maps = f"Maps in float32 take {peak:.1f} MB at once at most, computed layer by layer."
    return "\n".join([*lines, "", printed(found.graph, height, width), "", maps]) + "\n"


def _list(entries: list[Entry], as_json: bool) -> None:
    lines = [("network", "picture", "M weights", "GMAC", "answer", "about")]
    told = []
    for found in entries:
        rows = count(found.graph, found.height, found.width)
        sums, last = total(rows), rows[-1]
        told.append({**{word: value for word, value in vars(found).items() if word != "graph"}, **asdict(sums)})
        sizes = (f"{found.width}x{found.height}", f"{sums.weights / 1e6:.3f}", f"{sums.macs / 1e9:.3f}")
        lines.append((found.name, *sizes, f"{last.width}x{last.height}", found.about))
    sys.stdout.write(json.dumps(told, indent=1) if as_json else columns(lines, numbers={1, 2, 3, 4}))
    sys.stdout.write("\n")
