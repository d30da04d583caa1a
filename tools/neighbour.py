"""Measures the node as a neighbour: what it does to a control loop, and what busy neighbours do to it.

    python tools/neighbour.py --model fastdepth-indoor --out docs

1. A control loop of 100 Hz beside a camera, first without the node, then with it in max-q and in max-n, in turns:
   p99 of its jitter, the time by which it wakes up late.
2. The node with a program that never rests on every core, from a third to two thirds of the time: the age of its depth,
   and what the governor does to hold the budget; for comparison also without a budget, where it does nothing.

Writes neighbour.json and neighbour.png. Every part is a process of its own, over DDS on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
HERTZ = 100.0
WIDTH, HEIGHT, RATE = 640, 480, 30.0
UNHELD = "max-n without a budget"
FINDING = 5.0
"""Seconds with hogs in which the governor finds what helps; "with hogs" begins after them."""

COLOURS = {"without": "0.4", UNHELD: "C0", "max-n": "C1", "max-q": "C2"}


def control_loop(seconds: float) -> list[float]:
    """Wake up at 100 Hz, compute for half a millisecond, and note how late each wake-up was [s]."""
    late, due = [], time.monotonic() + 0.5
    end = due + seconds
    state, gain = np.zeros(12), np.random.default_rng(0).normal(0, 0.1, (12, 12))
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        woke = time.monotonic()
        late.append(woke - due)
        while time.monotonic() - woke < 0.0005:
            state = np.tanh(gain @ state + 1.0)
        due += 1 / HERTZ
    return late


def hog(seconds: float) -> list[float]:
    """Never rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(10_000))
    return []


def camera(seconds: float, namespace: str) -> dict[str, list[Any]]:
    """Publish images at 30 Hz, and note the depth and the words of the governor that come back."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import Image

    rclpy.init(args=[])
    node = rclpy.create_node("camera", namespace=namespace)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = node.create_publisher(Image, "image", best_effort)
    begun = time.monotonic()
    noted: dict[str, list[Any]] = {"depth": [], "governor": []}

    def on_depth(message: Image) -> None:
        now = node.get_clock().now().nanoseconds
        age = now - message.header.stamp.sec * 10**9 - message.header.stamp.nanosec
        noted["depth"].append((time.monotonic() - begun, age * 1e-9))

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{namespace.lstrip('/')}/fastdepth: budget":
                said = {pair.key: pair.value for pair in status.values}
                noted["governor"].append((time.monotonic() - begun, said["rate at most [Hz]"], said["governor"]))

    node.create_subscription(Image, "depth/image_rect", on_depth, best_effort)
    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    image = Image(encoding="rgb8", width=WIDTH, height=HEIGHT, step=WIDTH * 3)
    image.header.frame_id = "camera"
    image.data.frombytes(np.random.default_rng(0).integers(0, 255, WIDTH * HEIGHT * 3, np.uint8).tobytes())
    node.create_timer(1 / RATE, lambda: publish(node, publisher, image))
    while time.monotonic() - begun < seconds:
        executor.spin_once(timeout_sec=0.05)
    node.destroy_node()
    rclpy.shutdown()
    return noted


def publish(node: Any, publisher: Any, image: Any) -> None:
    """One image, of now."""
    image.header.stamp = node.get_clock().now().to_msg()
    publisher.publish(image)


class Node:
    """The node in a process of its own, active."""

    def __init__(self, namespace: str, model: str, profile: str, *more: str) -> None:
        order = [sys.executable, "-m", "fastdepth_ros.node", "--ros-args", "-r", f"__ns:={namespace}"]
        for value in (f"model:={model}", f"power_profile:={profile}", "diagnostics_period:=0.5", *more):
            order += ["-p", value]
        self._process = subprocess.Popen(order, stderr=subprocess.PIPE, text=True, env=environment())
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "answers" in line:
                return
            if "ERROR" in line:
                self._process.kill()
                raise SystemExit(line)

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=10)


def environment() -> dict[str, str]:
    """Environment of every process: images in shared memory, a domain of our own, and no guard of the ROS wheels."""
    own = {
        "FASTDDS_DEFAULT_PROFILES_FILE": str(ROOT / "config" / "fastdds.xml"),
        "ROS_DOMAIN_ID": str(os.getpid() % 90 + 10),
    }
    kept = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return {"NEIGHBOUR": "1", **kept, **({} if "NEIGHBOUR" in kept else own)}


def start(part: str, seconds: float, namespace: str = "/none") -> subprocess.Popen[str]:
    """Start a part of this program as a process; what it noted comes on its standard output."""
    order = [sys.executable, __file__, "--part", part, "--seconds", f"{seconds}", "--namespace", namespace]
    return subprocess.Popen(order, stdout=subprocess.PIPE, text=True, env=environment())


def result(process: subprocess.Popen[str]) -> Any:
    """Notes of a part, when it has ended."""
    out, _ = process.communicate()
    return json.loads(out)


def say(line: str) -> None:
    """On standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def jitter(model: str, seconds: float, turns: int, niceness: int) -> dict[str, dict[str, float]]:
    """Delays of the control loop [s], beside a camera: without the node, in max-q and in max-n."""
    late: dict[str, list[list[float]]] = {"without": [], "max-q": [], "max-n": []}
    for turn in range(turns):
        for kind, found in late.items():
            namespace = f"/turn{turn}_{kind.replace('-', '_')}"
            node = None if kind == "without" else Node(namespace, model, kind, f"niceness:={niceness}")
            eye = start("camera", seconds + 3.0, namespace)
            time.sleep(1.5)
            found.append(result(start("control", seconds)))
            result(eye)
            if node:
                node.__exit__()
            say(f"turn {turn + 1} of {turns}, {kind}: p99 {percentile(found[-1], 99) * 1e3:.3f} ms")
    return {
        kind: {
            "p50": percentile(np.concatenate(found), 50),
            "p99": percentile(np.concatenate(found), 99),
            "p99_of_turns": [percentile(turn, 99) for turn in found],
            "late": np.sort(np.concatenate(found)).round(7).tolist(),
        }
        for kind, found in late.items()
    }


def percentile(values: Any, percent: float) -> float:
    """As a plain number."""
    return float(np.percentile(values, percent))


def loaded(model: str, profile: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Ages and rates while every core has a hog from a third to two thirds of the time."""
    namespace, cores = f"/loaded_{profile.replace('-', '_').replace(' ', '_')}", len(os.sched_getaffinity(0))
    third = seconds / 3
    profiles = folder / "unheld.yaml"
    profiles.write_text(f"profiles: {{{UNHELD}: {{linux: {{}}}}}}\n", encoding="utf-8")
    with Node(namespace, model, profile, f"power_file:={profiles}"):
        eye = start("camera", seconds, namespace)
        time.sleep(third)
        hogs = [start("hog", third) for _ in range(cores)]
        for process in hogs:
            process.wait()
        noted = result(eye)
    parts = {
        "before": (2.0, third),
        "with hogs, from their start": (third, 2 * third),
        "with hogs": (third + FINDING, 2 * third),
        "after": (2 * third + 2.0, seconds),
    }
    return {
        "seconds": seconds,
        "hogs": cores,
        **noted,
        "parts": {name: part(noted, *span) for name, span in parts.items()},
    }


def part(noted: dict[str, list[Any]], begin: float, end: float) -> dict[str, float]:
    """Age and rate in a part of the time."""
    ages = [age for when, age in noted["depth"] if begin <= when < end] or [float("nan")]
    return {"age_p50": percentile(ages, 50), "age_p95": percentile(ages, 95), "rate": len(ages) / (end - begin)}


def budget(profile: str) -> float:
    """Budget of the age [s] on this kind of machine; 0 for none."""
    from fastdepth_ros.power import load_profiles

    return 0.0 if profile == UNHELD else float(load_profiles().find(profile).on("linux").budget().age_ms or 0) / 1e3


def plot(report: dict[str, Any], path: Path) -> None:
    """Jitter on the left; ages, budget and rate under load on the right."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, (left, ages, rates) = plt.subplots(1, 3, figsize=(13, 3.6), constrained_layout=True)
    for kind, found in report["jitter"].items():
        late = np.array(found["late"])[:: max(1, len(found["late"]) // 2000)] * 1e3
        left.plot(
            late, np.linspace(0, 100, len(late)), color=COLOURS[kind], label=f"{kind}: p99 {found['p99'] * 1e3:.2f} ms"
        )
    left.set(
        xlabel="late by [ms]", ylabel="% of wake-ups", title="control loop of 100 Hz", xscale="log", ylim=(50, 100)
    )
    left.legend(loc="lower right", fontsize="small")
    for profile, found in report["loaded"].items():
        when, age = np.array(found["depth"]).T
        colour = COLOURS[profile]
        ages.plot(when, age * 1e3, ".", markersize=2, color=colour, label=profile)
        if found["budget"]:
            ages.axhline(found["budget"] * 1e3, color=colour, linestyle="--", linewidth=1)
        seconds = np.arange(1, int(found["seconds"]))
        rate = [np.sum((when >= s - 1) & (when < s + 1)) / 2 for s in seconds]
        rates.plot(seconds, rate, color=colour, label=profile)
    for axes in (ages, rates):
        axes.axvspan(found["seconds"] / 3, found["seconds"] * 2 / 3, color="0.9", label="a hog on every core")
        axes.set(xlabel="time [s]")
        axes.legend(fontsize="x-small", loc="upper right")
    ages.set(ylabel="age [ms]", title="age of the depth (dashed: budget)", yscale="log", ylim=(None, 2000))
    rates.set(ylabel="rate [Hz]", title="answers a second", ylim=(0, 45))
    figure.savefig(path, dpi=100)


def main() -> int:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fastdepth-indoor", help="bundle that the node runs")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for neighbour.json and neighbour.png")
    parser.add_argument("--seconds", type=float, default=12.0, help="of one turn; three times that under load")
    parser.add_argument("--turns", type=int, default=4, help="of the control loop")
    parser.add_argument("--niceness", type=int, default=0, help="parameter of the node, for the control loop's part")
    parser.add_argument("--only", choices=("jitter", "loaded"), help="one of the two parts; the other stays as it was")
    parser.add_argument("--part", choices=("control", "hog", "camera"), help=argparse.SUPPRESS)
    parser.add_argument("--namespace", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        parts = {"control": control_loop, "hog": hog, "camera": lambda s: camera(s, args.namespace)}
        json.dump(parts[args.part](args.seconds), sys.stdout)
        return 0
    if args.only != "jitter" and args.seconds <= FINDING:
        parser.error(f"--seconds has to be over {FINDING:g}: for so long the governor looks for what helps under load")
    os.environ.update(environment())
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "neighbour.json"
    report: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    report["machine"] = {"cores": len(os.sched_getaffinity(0)), "kernel": platform.release(), "load": os.getloadavg()}
    if args.only != "loaded":
        report["niceness"] = args.niceness
        report["jitter"] = jitter(args.model, args.seconds, args.turns, args.niceness)
    if args.only != "jitter":
        report["loaded"] = {
            profile: {"budget": budget(profile), **loaded(args.model, profile, 3 * args.seconds, args.out)}
            for profile in (UNHELD, "max-n", "max-q")
        }
    for profile, found in report.get("loaded", {}).items():
        for name, figures in found["parts"].items():
            ages = f"age p50 {figures['age_p50'] * 1e3:.1f} ms, p95 {figures['age_p95'] * 1e3:.1f} ms"
            say(f"{profile} {name}: {ages} of {found['budget'] * 1e3:.0f}, {figures['rate']:.1f} Hz")
    if "jitter" in report:
        alone = report["jitter"]["without"]["p99"]
        for kind, found in report["jitter"].items():
            say(f"control loop, {kind}: p99 {found['p99'] * 1e3:.3f} ms, {found['p99'] / alone:.2f} times")
    file.write_text(json.dumps(report) + "\n", encoding="utf-8")
    if {"jitter", "loaded"} <= report.keys():
        plot(report, args.out / "neighbour.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
