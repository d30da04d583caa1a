"""Summary of a run: summary.json, and a table for the terminal."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from fastdepth_ros import __version__
from fastdepth_ros.demo.results import Results
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.evaluation.accuracy import Accuracy
from fastdepth_ros.recording import CameraTopics, Recording
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import find_module
from fastdepth_ros.runtime.precision import AUTO, Choice, choose

REQUIRED_SHARE = 0.95
"""Share of the images that have to get their depth."""

PACKAGES = ("apache-tvm", "apache-tvm-ffi", "ros-rclpy", "ros-rmw-fastrtps-cpp", "ros-fastdds", "numpy", "rosbags")


@dataclass(frozen=True)
class Run:
    """Circumstances of a run.

    Attributes:
        name: of the recording, in words.
        rate: how many times faster than recorded it was played.
        compiled: whether the network was compiled for this machine at the start of the node, which takes seconds once.
        load: of the machine in the minute before.
        no_truth: why the answers are not compared with a true depth; empty where they are.
        choice: of the network's precision; None where nobody asked.
    """

    name: str
    rate: float
    compiled: bool
    load: float
    no_truth: str
    choice: Choice | None = None

    @classmethod
    def about_to_start(cls, name: str, rate: float, bundle: Bundle, no_truth: str, precision: str = AUTO) -> Run:
        """Look at the machine as it is before the run."""
        choice = choose(bundle, wanted=precision)
        compiled = find_module(bundle, precision=choice.precision) is None
        return cls(name, rate, compiled, os.getloadavg()[0], no_truth, choice)


@dataclass(frozen=True)
class Figure:
    """One of the figures that matter, and what it is wished to be.

    Attributes:
        name: what it is.
        value: in words; a dash where it is not known.
        wish: the target in words; empty where there is none.
        good: whether it is as wished; None where there is no wish or no value.
    """

    name: str
    value: str
    wish: str = ""
    good: bool | None = None


def summarise(
    results: Results,
    accuracy: Accuracy | None,
    recording: Recording,
    topics: CameraTopics,
    bundle: Bundle,
    run: Run,
) -> dict[str, Any]:
    """The contents of summary.json. Times in ms unless their name says otherwise; null where there is no answer."""
    ages = Spread.of(results.ages()) if results.answers else None
    late = Spread.of([1000 * image.late for image in results.sent]) if results.sent else None
    passed = bool(results.sent) and results.share >= REQUIRED_SHARE and not results.foreign
    return {
        "passed": passed,
        "frames_in": len(results.sent),
        "frames_out": len(results.answers),
        "dropped": len(results.sent) - len(results.answers),
        "lost": results.lost(),
        "foreign": results.foreign,
        "share": round(results.share, 4),
        "required_share": REQUIRED_SHARE,
        "age_ms": ages.to_json() if ages else None,
        "stage_ms": {name: spread.to_json() for name, spread in results.stages().items()},
        "player_late_ms": late.to_json() if late else None,
        "delta1": round(accuracy.metric["delta1"], 4) if accuracy else None,
        "rmse_m": round(accuracy.metric["rmse_m"], 4) if accuracy else None,
        "accuracy": {name: round(value, 4) for name, value in accuracy.metric.items()} if accuracy else None,
        "accuracy_median_scaled": {name: round(v, 4) for name, v in accuracy.scaled.items()} if accuracy else None,
        "frames_compared": len(accuracy.frames) if accuracy else 0,
        "not_compared_because": run.no_truth or None,
        "first_depth_s": round(results.first_depth, 3),
        "compiled": run.compiled,
        "resident_mb": round(results.resident, 1),
        "peak_resident_mb": round(results.peak, 1),
        "model": {
            "name": bundle.manifest.name,
            "network": bundle.manifest.network.name,
            "weights_sha256": bundle.weights_sha256,
            "trained_on": bundle.manifest.trained_on,
            "licence": bundle.manifest.licence,
            "precision": run.choice.precision if run.choice else None,
            "why_this_precision": run.choice.reason if run.choice else None,
        },
        "machine": {
            "processor": processor.name(),
            "cores": processor.cores(),
            "load_before": round(run.load, 2),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
        "recording": {
            "name": run.name,
            "image_topic": topics.image.name,
            "image_type": topics.image.type,
            "camera_info_topic": topics.camera_info.name if topics.camera_info else None,
            "ground_truth_topic": topics.ground_truth.name if topics.ground_truth else None,
            "duration_s": round(recording.duration, 3),
            "rate": run.rate,
        },
        "versions": {"fastdepth_ros": __version__, "python": platform.python_version(), **_versions()},
    }


def figures(summary: dict[str, Any]) -> list[Figure]:
    """The figures that matter, with the project's targets (for 640x480 at 30 Hz on two cores)."""
    age = summary["age_ms"] or {"p50": None, "p95": None}
    answered = f"{summary['frames_out']} / {summary['frames_in']}"
    return [
        Figure("images answered", answered, f"at least {REQUIRED_SHARE:.0%}", summary["share"] >= REQUIRED_SHARE),
        _limit("age, median", age["p50"], 25, "ms"),
        _limit("age, 95 %", age["p95"], 40, "ms"),
        _first_depth(summary),
        _limit("resident memory", summary["resident_mb"], 400, "MB"),
        Figure("delta1", "-" if summary["delta1"] is None else f"{summary['delta1']:.3f}", _without(summary, "delta1")),
        Figure("RMSE", "-" if summary["rmse_m"] is None else f"{summary['rmse_m']:.2f} m", _without(summary, "rmse_m")),
    ]


def _without(summary: dict[str, Any], name: str) -> str:
    """A measure of the run without measured depths, in words; empty where there were none."""
    alone = (summary.get("anchors") or {}).get("without")
    if not alone:
        return ""
    return f"without anchors {alone[name]:.3f}" if name == "delta1" else f"without anchors {alone[name]:.2f} m"


def table(summary: dict[str, Any]) -> Table:
    """The figures and the stages, for the terminal."""
    made = Table(title=f"{summary['model']['name']} on {summary['recording']['name']}", title_justify="left")
    made.add_column("")
    made.add_column("measured", justify="right")
    made.add_column("target")
    for figure in figures(summary):
        colour = {True: "green", False: "red", None: ""}[figure.good]
        made.add_row(figure.name, Text(figure.value, colour), figure.wish)
    made.add_section()
    for name, spread in summary["stage_ms"].items():
        made.add_row(f"stage {name}, median / 95 %", f"{spread['p50']:.1f} / {spread['p95']:.1f} ms", "")
    return made


def _first_depth(summary: dict[str, Any]) -> Figure:
    """The target holds for a network that was compiled before."""
    if summary["compiled"]:
        return Figure("start to first depth", f"{summary['first_depth_s']:.1f} s", "the network was compiled first")
    return _limit("start to first depth", summary["first_depth_s"], 8, "s")


def _limit(name: str, value: float | None, limit: float, unit: str) -> Figure:
    if value is None:
        return Figure(name, "-", f"at most {limit:g} {unit}")
    shown = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return Figure(name, f"{shown} {unit}", f"at most {limit:g} {unit}", value <= limit)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # in a ROS workspace they are no Python packages
            continue
    return found
