"""Age of depth without and with measured depths: the node with anchoring off and on, in turns, in one run.

    python -m tools.anchor_age --turns 8 --seconds 10

Two other processes, plain rclpy, publish 150 points and a scan 20 times a second; this one is a camera of 30 Hz that
films the computed room, and hears depth. Prints the median and 95 % of the age [ms], and images without an answer; and
the median and 95 % of each stage in the node [ms], means over turns: where the age grows. Turns of 10 s are those of
which the node reports. By how much 95 % grows is said of all turns together, and as the median of what each pair of
turns says: a second in which another program runs is in one of them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fastdepth_ros.demo.graph import enter_graph
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.late import prepare_anchors
from fastdepth_ros.runtime.precision import choose

ROOT = Path(__file__).resolve().parent.parent
RATE = 30.0
SETTLE = 1.0
"""Seconds of a turn that are not counted: subscriptions come and go."""

REPORT = 5.0
"""Seconds in which a report is awaited."""

STAGE = re.compile(r"(\w+) p50/p95/max \[ms\]")

LIDAR = "scan=0 0 0 0 0 0"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    bundle = find_bundle(DEFAULT)
    prepare_anchors(bundle, "host", choose(bundle).precision)
    with tempfile.TemporaryDirectory() as scratch:
        # The graph is entered before ROS is loaded, for its libraries read the environment once.
        enter_graph(Path(scratch))
        found = measure(Path(scratch), args.turns, args.seconds)
    for mode, one in found.items():
        p50, p95 = np.percentile(one.ages, (50, 95))
        sys.stdout.write(
            f"anchoring {mode:4}: age median {p50:.2f} ms, 95 % {p95:.2f} ms;"
            f" {one.unanswered} of {one.images} unanswered\n"
        )
    for stage in found["auto"].stages:
        spreads = (np.mean(each.stages.get(stage, [(0.0, 0.0)]), axis=0) for each in found.values())
        words = [f"{mode} {p50:.2f} / {p95:.2f}" for mode, (p50, p95) in zip(found, spreads, strict=True)]
        sys.stdout.write(f"  {stage:8} {', '.join(words)}\n")
    off, on = (np.percentile(found[mode].ages, 95) for mode in ("off", "auto"))
    pairs = zip(*(found[mode].turns for mode in ("off", "auto")), strict=True)
    middle = np.median([after - before for before, after in pairs])
    sys.stdout.write(f"95 % grows by {on - off:.2f} ms, from turn to turn by {middle:.2f} ms (median)\n")


@dataclass
class Found:
    """The turns of one mode.

    Attributes:
        ages: of answers [ms].
        turns: 95 % of the ages of each turn [ms].
        unanswered, images: counts of images.
        stages: of each turn the median and 95 % [ms].
    """

    ages: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    unanswered: int = 0
    images: int = 0
    stages: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def measure(folder: Path, turns: int, seconds: float) -> dict[str, Found]:
    """Mode -> what was found in its turns."""
    from diagnostic_msgs.msg import DiagnosticArray
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CameraInfo, Image
    from std_msgs.msg import Header

    from fastdepth_ros import cdr
    from fastdepth_ros.evaluation.benchmark.frame_cost import camera_of, pictures, raw
    from fastdepth_ros.harness import measured
    from fastdepth_ros.harness.bystander import Bystander
    from fastdepth_ros.harness.process import NodeProcess

    seen = pictures()[640, 480]
    truth = folder / "truth.npz"
    level = seen.points[np.abs(seen.points[:, 1] / seen.points[:, 2]) < 0.1]
    angles = np.linspace(-0.3, 0.3, 61)
    nearest = np.abs(angles[:, None] + np.arctan2(level[:, 0], level[:, 2])[None]).argmin(1)
    np.savez(truth, points=seen.points[:150], angles=angles, ranges=level[nearest, 2] / np.cos(angles))
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    robot = [sys.executable, str(ROOT / "test" / "node" / "anchor_robot.py")]
    found = {"off": Found(), "auto": Found()}
    with Bystander("camera") as camera, NodeProcess(folder, {"anchor_extrinsics": LIDAR}) as process:
        others = [
            subprocess.Popen([*robot, what, str(truth)], stdin=subprocess.PIPE, env=environment)
            for what in ("points", "scan")
        ]
        driver = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        publisher = camera.node.create_publisher(Image, "/image", driver)
        infos = camera.node.create_publisher(CameraInfo, "/camera_info", driver)
        setter = camera.node.create_client(SetParameters, "/fastdepth/set_parameters")
        heard: dict[int, float] = {}

        def hear(data: bytes) -> None:
            stamp = cdr.stamp_of(data)
            heard[stamp] = (camera.node.get_clock().now().nanoseconds - stamp) / 1e6

        camera.node.create_subscription(Image, "/depth/image_rect", hear, 10, raw=True)
        image, info = raw(seen.pixels), measured.camera_info(Header(), camera_of(640, 480))
        image.header.frame_id = info.header.frame_id = "eye"

        def film(seconds: float) -> list[int]:
            """Publish images; returns their stamps."""
            stamps, due = [], time.monotonic()
            for _ in range(round(seconds * RATE)):
                process.check()
                image.header.stamp = info.header.stamp = camera.node.get_clock().now().to_msg()
                infos.publish(info)
                publisher.publish(image)
                stamps.append(image.header.stamp.sec * cdr.SECOND + image.header.stamp.nanosec)
                due += 1 / RATE
                time.sleep(max(0.0, due - time.monotonic()))
            return stamps

        def ask_for_stages(one: Found) -> None:
            """Hear one report of the turn that has just ended; nobody hears any meanwhile."""
            said: list[DiagnosticArray] = []
            reports = camera.node.create_subscription(DiagnosticArray, "/diagnostics", said.append, 10)
            end = time.monotonic() + REPORT
            while not said and time.monotonic() < end:
                time.sleep(0.05)
            camera.node.destroy_subscription(reports)
            for status in said[0].status if said else ():
                for pair in status.values if status.name.endswith("inference") else ():
                    if match := STAGE.fullmatch(pair.key):
                        p50, p95, _ = map(float, pair.value.split(" / "))
                        one.stages.setdefault(match[1], []).append((p50, p95))

        try:
            while not heard:
                film(1.0)
            for turn in range(2 * turns):
                mode = ("off", "auto")[turn % 2]
                done = threading.Event()
                request = SetParameters.Request(parameters=[Parameter("anchoring", value=mode).to_parameter_msg()])
                setter.wait_for_service(10.0)
                setter.call_async(request).add_done_callback(lambda _, done=done: done.set())
                done.wait(10.0)
                film(SETTLE)
                stamps = film(seconds)
                time.sleep(0.2)
                answered = [heard[stamp] for stamp in stamps if stamp in heard]
                one = found[mode]
                one.ages += answered
                one.turns.append(float(np.percentile(answered, 95)) if answered else np.nan)
                one.unanswered += len(stamps) - len(answered)
                one.images += len(stamps)
                ask_for_stages(one)
        finally:
            for other in others:
                other.kill()
                other.wait()
    return found


if __name__ == "__main__":
    main()
