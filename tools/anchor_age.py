"""Age of depth without and with measured depths: the node with anchoring off and on, in turns, in one run.

    python -m tools.anchor_age --turns 8 --seconds 10

Two other processes, plain rclpy, publish 150 points and a scan 20 times a second; this one is a camera of 30 Hz that
films the computed room, and hears depth. Prints the median and 95 % of the age [ms], and images without an answer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from fastdepth_ros.demo.graph import enter_graph

ROOT = Path(__file__).resolve().parent.parent
RATE = 30.0
SETTLE = 1.0
"""Seconds of a turn that are not counted: subscriptions come and go."""

LIDAR = "scan=0 0 0 0 0 0"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # The graph is entered before ROS is loaded, for its libraries read the environment once.
        enter_graph(Path(scratch))
        found = measure(Path(scratch), args.turns, args.seconds)
    for mode, (ages, unanswered, images) in found.items():
        p50, p95 = np.percentile(ages, (50, 95))
        sys.stdout.write(
            f"anchoring {mode:4}: age median {p50:.2f} ms, 95 % {p95:.2f} ms; {unanswered} of {images} unanswered\n"
        )
    off, on = (np.percentile(found[mode][0], 95) for mode in ("off", "auto"))
    sys.stdout.write(f"95 % grows by {on - off:.2f} ms\n")


def measure(folder: Path, turns: int, seconds: float) -> dict[str, tuple[list[float], int, int]]:
    """Mode -> ages [ms], images without an answer, images."""
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
    found: dict[str, tuple[list[float], int, int]] = {"off": ([], 0, 0), "auto": ([], 0, 0)}
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
                ages, unanswered, images = found[mode]
                answered = [heard[stamp] for stamp in stamps if stamp in heard]
                found[mode] = ([*ages, *answered], unanswered + len(stamps) - len(answered), images + len(stamps))
        finally:
            for other in others:
                other.kill()
                other.wait()
    return found


if __name__ == "__main__":
    main()
