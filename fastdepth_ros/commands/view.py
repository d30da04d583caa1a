"""``fastdepth view``: a page in a browser on what the node sees, says and costs; ``view:=true`` of launch runs it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from fastdepth_ros.commands.numbers import finite, seconds
from fastdepth_ros.errors import SettingError

if TYPE_CHECKING:
    from fastdepth_ros.view.server import PageServer

DEFAULT_NODE = "/fastdepth"
FASTEST = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `fastdepth view`."""
    parser.add_argument("--node", default=DEFAULT_NODE, metavar="NAME", help="full name of the node (%(default)s)")
    parser.add_argument(
        "--image", default="", metavar="TOPIC", help="the camera's pictures; else what the node answers"
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="0 takes any that is free (%(default)s)")
    parser.add_argument("--rate", type=finite, default=10.0, metavar="HZ", help="frames a second at most (%(default)s)")
    parser.add_argument("--read-only", action="store_true", help="show no parameters to move")
    parser.add_argument("--wait", type=seconds, default=10.0, metavar="S", help="for the node to come (%(default)s s)")


def run(args: argparse.Namespace) -> int:
    """Serve the page until SIGINT or SIGTERM, neither of which is an error: 0."""
    if not 0 < args.rate <= FASTEST:
        raise SettingError(f"--rate cannot be {args.rate:g}", f"Use a number up to {FASTEST:g} [Hz].")
    if not 0 <= args.port < 1 << 16:
        raise SettingError(f"--port cannot be {args.port}", f"Use a number from 0 to {(1 << 16) - 1}.")
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    # First of all, so that what is missing is told before anything starts.
    from fastdepth_ros.view.server import LOOPBACK, close, open_server

    server = open_server(args.host, args.port, "FastDepth")
    try:
        _serve(args, server, stop, warn=args.host not in (LOOPBACK, "localhost", "::1"))
    finally:
        close(server)
    return 0


def _serve(args: argparse.Namespace, server: PageServer, stop: threading.Event, warn: bool) -> None:
    from fastdepth_ros.view.listener import Listener
    from fastdepth_ros.view.page import Page
    from fastdepth_ros.view.run import Setter, Viewer

    with Listener(args.node, args.image) as heard:
        heard.wait_for_node(args.wait, stop)
        if stop.is_set():
            return
        setter = None if args.read_only else Setter(heard)
        page = Page(server, heard.name, setter.move if setter else None)
        if setter:
            setter.start(page)
        sys.stderr.write(f"http://{args.host}:{server.get_port()} shows {heard.name}; Ctrl-C ends it\n")
        if warn:
            may = "see the camera" if args.read_only else "see the camera and set parameters"
            sys.stderr.write(f"Whoever reaches {args.host} can {may}: there is no password (docs/view.md).\n")
        Viewer(heard, page, args.rate).run(stop)
        if setter:
            setter.end()
