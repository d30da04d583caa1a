"""Outcome of a run: every answer held against the truth, summary.json and report.html written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.demo.anchored import ComparisonSum, side_by_side
from fastdepth_ros.demo.cloud_view import Points, cloud_at, cloud_parts, true_cloud
from fastdepth_ros.demo.feed import Feed
from fastdepth_ros.demo.gallery import Beside, Gallery
from fastdepth_ros.demo.page import evenly, report_page
from fastdepth_ros.demo.results import Results
from fastdepth_ros.demo.summary import Run, summarise
from fastdepth_ros.demo.truth import Case, camera_of, cases, true_depth
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.evaluation.accuracy import AccuracySum
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.recording import CameraTopics, Recording
from fastdepth_ros.runtime.bundle import Bundle

SHOWN = 6
"""Frames in the report."""

SUMMARY, REPORT, DEPTH = "summary.json", "report.html", "depth"


class Runs(NamedTuple):
    """Results of the node's runs.

    Attributes:
        results: of the run that counts.
        feed: measured depths that went out in it; None for none.
        alone: of the same recording without them; None where there were none.
    """

    results: Results
    feed: Feed | None = None
    alone: Results | None = None


def write_outcome(
    folder: Path,
    alone_folder: Path,
    recording: Recording,
    topics: CameraTopics,
    bundle: Bundle,
    about: Run,
    runs: Runs,
    progress: Callable[[], None],
) -> dict[str, Any]:
    """Compare, and write summary.json and report.html.

    Args:
        folder: holds the recording of the answers (``depth``), and gets the files.
        alone_folder: that of the run without measured depths.
        recording: what was played.
        topics: its camera.
        bundle: the model.
        about: what else there is to say of the run.
        runs: what was seen.
        progress: called for every answer.

    Returns:
        The contents of summary.json.

    Raises:
        RecordingError: one of the recordings is broken.
    """
    results, feed = runs.results, runs.feed
    camera = camera_of(recording, topics)
    shown = evenly(results.answered(), SHOWN)
    gallery, accuracies, worth, cloud = Gallery(camera, shown), AccuracySum(), ComparisonSum(), list[str]()
    with ExitStack() as stack:
        depth = stack.enter_context(Recording.open(folder / DEPTH))
        alone_depth = stack.enter_context(Recording.open(alone_folder / DEPTH)) if runs.alone else None
        alone: Iterator[Case] = iter(())
        if runs.alone and alone_depth:
            alone = cases(recording, topics, alone_depth, runs.alone)
        for case, other in side_by_side(cases(recording, topics, depth, results), alone):
            truth, other_truth = (true_depth(c, camera) if c and camera else None for c in (case, other))
            delta1 = accuracies.add(case.number, case.depth, truth) if truth is not None else None
            other_delta1 = worth.add(case, truth, other, other_truth)
            points = feed.points(results.sent[case.number].recorded) if feed and case.number in shown else None
            gallery.add(case, delta1, Beside(other, other_delta1) if other else None, points)
            if camera and case.number == shown[len(shown) // 2] and case.number in gallery.photographs:
                own = cloud_at(depth, results.sent[case.number].stamp)
                others = None
                if runs.alone and alone_depth:
                    others = cloud_at(alone_depth, runs.alone.sent[case.number].stamp)
                cloud = _cloud(case, camera, gallery, own, others)
            progress()
    accuracy = accuracies.result()
    ages_alone = runs.alone.ages() if runs.alone else []
    ages = Spread.of(ages_alone) if ages_alone else None
    comparison = worth.result(feed.words, results.anchoring, ages) if feed else None
    summary = summarise(results, accuracy, recording, topics, bundle, about)
    summary["anchors"] = comparison.to_json() if comparison else None
    write_file(folder / SUMMARY, json.dumps(summary, indent=2) + "\n")
    page = report_page(summary, results, accuracy, gallery, cloud, comparison)
    write_file(folder / REPORT, page)
    return summary


def _cloud(case: Case, camera: Intrinsics, gallery: Gallery, own: Points | None, others: Points | None) -> list[str]:
    """The section on the clouds of a frame; empty where the node made none."""
    if own is None:
        return []
    with_anchors = {"cloud without anchors": others, "cloud with anchors": own}
    clouds: dict[str, Points | None] = {"cloud of the node": own} if others is None else with_anchors
    clouds["cloud of the true depth"] = true_cloud(case, camera)
    return cloud_parts(case.number, clouds, camera, gallery.photographs[case.number])
