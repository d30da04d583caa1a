"""Several cameras of one node: which share of their images is answered, how old depth is, and what the node weighs.

All cameras send at the same moment, as those with a common trigger do: the last of them waits for all others. Ages are
those at a reader in another process, from the stamp of the image to the arrival of its depth.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rich.console import Console
from rich.table import Table
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fastdepth_ros.cdr import stamp_of, with_stamp
from fastdepth_ros.evaluation.benchmark.frame_cost import SETTLE, START_LIMIT, camera_of, pictures, raw
from fastdepth_ros.harness import measured
from fastdepth_ros.harness.bystander import Bystander
from fastdepth_ros.harness.process import NodeProcess

RATE = 15.0
"""Images a second of each camera [Hz]."""

SIZE = (640, 480)
"""Width and height of the pictures [px]."""

NAMES = ("front", "rear", "left", "right")
"""The first cameras' names; those that follow are numbered."""

LATE = 1.0
"""Seconds after the last image until which its depth may come."""


class Cameras(Bystander):
    """Drivers of several cameras, and a reader of the depth of each.

    Args:
        names: of the cameras; an empty one has plain topics.
        pixels: the picture that all of them send, (height, width, 3) RGB.

    Attributes:
        sent: camera -> stamps of its images [ns].
        came: camera -> stamp of a depth map [ns] -> when it came [ns, the system's clock].
    """

    def __init__(self, names: Sequence[str], pixels: npt.NDArray[np.uint8]) -> None:
        super().__init__("fastdepth_bench")
        driver = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        height, width = pixels.shape[:2]
        self.sent: dict[str, list[int]] = {name: [] for name in names}
        self.came: dict[str, dict[int, int]] = {name: {} for name in names}
        self._messages = [
            serialize_message(message)
            for message in (measured.camera_info(Header(), camera_of(width, height)), raw(pixels))
        ]
        self._publishers = {
            name: [
                self.node.create_publisher(CameraInfo, f"{_below(name)}camera_info", driver),
                self.node.create_publisher(Image, f"{_below(name)}{'image_raw' if name else 'image'}", driver),
            ]
            for name in names
        }
        for name in names:
            self._read(name)
        self._timer = self.node.create_timer(1 / RATE, self._send)

    def stop(self) -> None:
        """Send no more."""
        self._timer.cancel()

    def _read(self, name: str) -> None:
        came = self.came[name]

        def hear(serialized: bytes) -> None:
            came[stamp_of(serialized)] = time.time_ns()

        every = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
        self.node.create_subscription(Image, f"{_below(name)}depth/image_rect", hear, every, raw=True)

    def _send(self) -> None:
        stamp = time.time_ns()
        stamped = [with_stamp(message, stamp) for message in self._messages]
        for name, publishers in self._publishers.items():
            for publisher, message in zip(publishers, stamped, strict=True):
                publisher.publish(message)
            self.sent[name].append(stamp)


def _below(name: str) -> str:
    return f"{name}/" if name else ""


def names_of(count: int) -> tuple[str, ...]:
    """Names of so many cameras; of a single one, which has plain topics, an empty one."""
    if count == 1:
        return ("",)
    return tuple(NAMES[number] if number < len(NAMES) else f"camera_{number}" for number in range(count))


def measure(
    module: Mapping[str, str],
    count: int,
    seconds: float,
    folder: Path,
    say: Callable[[str], object],
    settle: float = SETTLE,
) -> list[dict[str, Any]]:
    """Measure a node of one camera, and then one of several.

    The environment is that of :func:`fastdepth_ros.demo.graph.enter_graph`, and the model is compiled already.

    Args:
        module: parameters ``model``, ``target`` and ``precision``.
        count: number of cameras.
        seconds: that are counted.
        folder: for logs.
        say: is told what goes on.
        settle: seconds before them, from the first depth of each camera.

    Returns:
        For each node ``cameras`` (name, ``sent``, ``answered``, ``share``, ``age_p50_ms``, ``age_p95_ms`` of each),
        ``resident_mb`` at the end [10^6 bytes], ``cores``: processor time a second, and ``processor_ms``: of an answer.

    Raises:
        NodeError: the node ended or gives no depth.
    """
    picture, times = pictures()[SIZE].pixels, (settle, seconds)
    return [_measure(module, names_of(each), picture, times, folder / str(each), say) for each in sorted({1, count})]


def _measure(
    module: Mapping[str, str],
    names: Sequence[str],
    picture: npt.NDArray[np.uint8],
    times: tuple[float, float],
    folder: Path,
    say: Callable[[str], object],
) -> dict[str, Any]:
    what = f"{len(names)} camera{'s' if names[1:] else ''}"
    parameters = {**module, **({"cameras": list(names)} if names[0] else {})}
    # As the node's own door has it.
    command = ["env", "OPENBLAS_NUM_THREADS=1", sys.executable, "-m", "fastdepth_ros.node"]
    with Cameras(names, picture) as cameras, NodeProcess(folder, parameters, command) as process:
        say(f"{what}: until the first depth of each")
        process.wait_for(lambda: all(cameras.came.values()), START_LIMIT)
        settle, seconds = times
        say(f"{what}: settles")
        time.sleep(settle)
        say(f"{what}: {seconds:g} s")
        since, busy = time.time_ns(), process.processor_time()
        time.sleep(seconds)
        until, busy = time.time_ns(), process.processor_time() - busy
        time.sleep(LATE)
        resident, _ = process.memory()
        process.check()
        cameras.stop()
    found = [_of(name, cameras, since, until) for name in names]
    return {
        "cameras": found,
        "resident_mb": round(resident, 1),
        "cores": round(busy / (until - since), 3),
        "processor_ms": round(busy / 1e6 / max(1, sum(each["answered"] for each in found)), 1),
    }


def _of(name: str, cameras: Cameras, since: int, until: int) -> dict[str, Any]:
    """Tell what became of one camera's images of a time [ns]."""
    sent = [stamp for stamp in cameras.sent[name] if since <= stamp < until]
    came = cameras.came[name]
    ages = [(came[stamp] - stamp) / 1e6 for stamp in sent if stamp in came]
    p50, p95 = np.percentile(ages, (50, 95)) if ages else (float("nan"),) * 2
    return {
        "name": name or "the only one",
        "sent": len(sent),
        "answered": len(ages),
        "share": round(len(ages) / max(1, len(sent)), 4),
        "age_p50_ms": round(float(p50), 1),
        "age_p95_ms": round(float(p95), 1),
    }


def show(console: Console, found: Sequence[Mapping[str, Any]]) -> None:
    """Print what was measured."""
    width, height = SIZE
    table = Table(title=f"Cameras of one node, {width}x{height} raw at {RATE:g} Hz each, all at the same moment")
    table.add_column("", no_wrap=True)
    for name in ("answered", "age p50", "age p95", "node: resident", "cores", "an answer"):
        table.add_column(name, justify="right", no_wrap=True)
    for node in found:
        whole: tuple[str, ...] = (
            f"{node['resident_mb']:.0f} MB",
            f"{node['cores']:.2f}",
            f"{node['processor_ms']:.1f} ms",
        )
        for each in node["cameras"]:
            share = f"{100 * each['share']:.1f} % of {each['sent']}"
            table.add_row(each["name"], share, f"{each['age_p50_ms']:.1f} ms", f"{each['age_p95_ms']:.1f} ms", *whole)
            whole = ()
        table.add_section()
    console.print(table)
