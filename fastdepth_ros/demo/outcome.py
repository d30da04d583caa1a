"""What is left of a run: every answer held against the truth, summary.json and report.html written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastdepth_ros.demo.cloud_view import cloud_at, cloud_parts
from fastdepth_ros.demo.gallery import Gallery
from fastdepth_ros.demo.page import evenly, report_page
from fastdepth_ros.demo.results import Results
from fastdepth_ros.demo.summary import Run, summarise
from fastdepth_ros.demo.truth import camera_of, cases, true_depth
from fastdepth_ros.evaluation.accuracy import AccuracySum
from fastdepth_ros.recording import CameraTopics, Recording
from fastdepth_ros.runtime.bundle import Bundle

SHOWN = 6
"""Frames in the report."""

SUMMARY, REPORT, DEPTH = "summary.json", "report.html", "depth"


def write_outcome(
    folder: Path,
    recording: Recording,
    topics: CameraTopics,
    bundle: Bundle,
    about: Run,
    results: Results,
    progress: Callable[[], None],
) -> dict[str, Any]:
    """Compare, and write summary.json and report.html.

    Args:
        folder: holds the recording of the answers (``depth``), and gets the files.
        recording: what was played.
        topics: its camera.
        bundle: the model.
        about: what else there is to say of the run.
        results: what was seen of it.
        progress: called for every answer.

    Returns:
        The contents of summary.json.

    Raises:
        RecordingError: one of the recordings is broken.
    """
    camera = camera_of(recording, topics)
    shown = evenly(results.answered(), SHOWN)
    gallery, accuracies, cloud = Gallery(camera, shown), AccuracySum(), list[str]()
    with Recording.open(folder / DEPTH) as depth:
        for case in cases(recording, topics, depth, results):
            truth = true_depth(case, camera) if camera else None
            delta1 = accuracies.add(case.number, case.depth, truth) if truth is not None else None
            gallery.add(case, delta1)
            if camera and case.number == shown[len(shown) // 2] and case.number in gallery.photographs:
                points = cloud_at(depth, results.sent[case.number].stamp)
                photograph = gallery.photographs[case.number]
                cloud = cloud_parts(case, points, camera, photograph) if points is not None else []
            progress()
    accuracy = accuracies.result()
    summary = summarise(results, accuracy, recording, topics, bundle, about)
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (folder / REPORT).write_text(report_page(summary, results, accuracy, gallery, cloud), encoding="utf-8")
    return summary
