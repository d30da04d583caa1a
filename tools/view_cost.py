"""Measures what the page of `fastdepth view` costs a node that has another reader: processor time of a frame, in turns.

    python -m tools.view_cost --turns 16

The computed room plays to a node of one thread. The page's own reader, in a process of its own, hears and is silent in
turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fastdepth_ros.demo.graph import enter_graph

SETTLES, LASTS = 2.0, 6.0
"""Time before a turn is measured, and of the measurement [s]."""

PROFILES = "profiles: {max-n: {linux: {cpu: {}}}}\n"
"""No age is wished for, so no image is held back."""


def measure(folder: Path, turns: int) -> dict[str, list[float]]:
    """Processor time of a frame in each turn [ms], without (``off``) and with (``on``) the page's reader."""
    from sensor_msgs.msg import Image

    from fastdepth_ros.harness.bystander import Bystander
    from fastdepth_ros.harness.process import NodeProcess
    from fastdepth_ros.scene.record import room_recording
    from fastdepth_ros.view.listener import NEWEST

    (folder / "profiles.yaml").write_text(PROFILES, encoding="utf-8")
    parameters = {"image_transport": "compressed", "power_file": str(folder / "profiles.yaml"), "threads": 1}
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    play = ["fastdepth_ros.cli", "play", str(room_recording(folder)), "--loop", "--rate", "0.5", "--wait", "60"]
    orders = [[*play, "--image", "/image", "--camera-info", "/camera_info"], ["tools.view_cost", "--page"]]
    found: dict[str, list[float]] = {"off": [], "on": []}
    with NodeProcess(folder / "node", parameters) as node, Bystander("reader") as reader:
        heard: list[bytes] = []
        reader.node.create_subscription(Image, "/depth/image_rect", heard.append, NEWEST, raw=True)
        player, page = (
            subprocess.Popen([sys.executable, "-m", *order], stdin=subprocess.PIPE, text=True, env=environment)
            for order in orders
        )
        assert page.stdin is not None
        while len(heard) < 10:
            node.check()
            time.sleep(0.2)
        for turn in range(turns):
            mode = ("off", "on")[turn % 2]
            page.stdin.write(f"{mode}\n")
            page.stdin.flush()
            time.sleep(SETTLES)
            took, frames = node.processor_time(), len(heard)
            time.sleep(LASTS)
            found[mode].append((node.processor_time() - took) / 1e6 / max(1, len(heard) - frames))
        page.stdin.close()
        player.terminate()
        for process in (page, player):
            process.wait(30)
    return found


def read_as_the_page() -> None:
    """Hear what the page hears by default, or nothing, as each line of standard input says."""
    from fastdepth_ros.view.listener import DEPTH, DEPTH_INFO, IMAGE, PICTURE_INFO, Listener

    with Listener("/fastdepth") as heard:
        for line in sys.stdin:
            heard.wanted = (DEPTH, DEPTH_INFO, IMAGE, PICTURE_INFO) if line.strip() == "on" else ()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=16, metavar="N", help="of 8 s each (%(default)s)")
    parser.add_argument("--page", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.page:
        read_as_the_page()
        return
    with tempfile.TemporaryDirectory() as folder:
        enter_graph(Path(folder))
        for mode, times in measure(Path(folder), args.turns).items():
            words = f"median {statistics.median(times):.2f} ms, least {min(times):.2f} ms of a frame"
            sys.stdout.write(f"page {mode}: {words}, {len(times)} turns\n")


if __name__ == "__main__":
    main()
