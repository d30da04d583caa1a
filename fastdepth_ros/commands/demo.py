"""``fastdepth demo``: the node on a recording, over DDS, with a table, summary.json and report.html."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fastdepth_ros import models
from fastdepth_ros.errors import RecordingError, SettingError
from fastdepth_ros.recording import CameraTopics, Recording, find_camera
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import cache_dir

if TYPE_CHECKING:
    from fastdepth_ros.demo.results import Results
    from fastdepth_ros.demo.summary import Run

HELP = "play a recording through the node over DDS and report what came back"

WRITTEN = ("summary.json", "report.html", "node.log", "node.yaml", "fastdds_loopback.xml")
RECORDED = {"metadata.yaml", "depth.mcap"}
"""What a demo leaves in its folder, and in the folder ``depth`` there."""

ROOM = "a computed room"

SHOWN = 6
"""Frames in the report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--recording", type=Path, metavar="DIR", help="rosbag2 folder, .mcap or .db3 file (default: a computed room)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out", "demo"), metavar="DIR", help="for the report (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, default=1.0, metavar="X", help="play X times as fast as recorded")
    parser.add_argument("--model", default=models.DEFAULT, help="bundle: folder or name (default: %(default)s)")
    parser.add_argument("--image", metavar="TOPIC", help="the picture's topic in the recording")
    parser.add_argument("--camera-info", metavar="TOPIC", help="the camera_info's topic in the recording")
    parser.add_argument("--ground-truth", metavar="TOPIC", help="the true depth's topic in the recording")
    parser.add_argument("--cloud", choices=("off", "xyz", "xyzrgb"), default="xyz", help="points, too (default: xyz)")
    parser.add_argument(
        "--output-size", choices=("native", "camera"), default="native", help="see the node's parameter"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo.

    Returns:
        0 if at least 95 % of the images got their depth, with their own stamp and frame_id; else 1.
    """
    if not 0 < args.rate < float("inf"):
        raise SettingError(f"a recording cannot be played {args.rate:g} times as fast", "Give a positive --rate.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends the demo, and its node, as Ctrl-C does
    console = Console()
    bundle = models.find_bundle(args.model)
    with _bar(console) as bar:
        path = args.recording or _room(bar)
        with Recording.open(path) as recording:
            topics = find_camera(recording, args.image, args.camera_info, args.ground_truth)
            return _demo(args, console, bar, bundle, recording, topics)


def _demo(
    args: argparse.Namespace,
    console: Console,
    bar: Progress,
    bundle: Bundle,
    recording: Recording,
    topics: CameraTopics,
) -> int:
    # The graph is entered before ROS is loaded, for its libraries read the environment once.
    from fastdepth_ros.demo.graph import enter_graph

    _clear(args.out)
    enter_graph(args.out)
    from fastdepth_ros.demo.run import Options, run_node
    from fastdepth_ros.demo.summary import Run

    task = bar.add_task("", total=topics.image.messages)
    about = Run.about_to_start(args.recording.name if args.recording else ROOM, args.rate, bundle)
    options = Options(bundle.path, args.cloud, args.output_size, args.rate)
    results = run_node(
        recording,
        topics,
        options,
        args.out,
        say=lambda words: bar.update(task, description=words),
        progress=lambda count: bar.update(task, completed=count),
    )
    bar.update(task, description="played", completed=len(results.sent))
    return _report(args, console, bar, bundle, recording, topics, about, results)


def _report(
    args: argparse.Namespace,
    console: Console,
    bar: Progress,
    bundle: Bundle,
    recording: Recording,
    topics: CameraTopics,
    about: Run,
    results: Results,
) -> int:
    from fastdepth_ros.demo import summary as summaries
    from fastdepth_ros.demo.cloud_view import cloud_at, cloud_parts
    from fastdepth_ros.demo.gallery import Gallery
    from fastdepth_ros.demo.page import evenly, report_page
    from fastdepth_ros.demo.truth import AccuracySum, camera_of, cases, true_depth

    camera = camera_of(recording, topics)
    answered = {answer.stamp for answer in results.answers}
    numbers = [number for number, image in enumerate(results.sent) if image.stamp in answered]
    shown = evenly(numbers, SHOWN)
    gallery, accuracies, cloud = Gallery(camera, shown), AccuracySum(), list[str]()
    task = bar.add_task("comparing with the true depth" if topics.ground_truth else "reading", total=len(numbers))
    with Recording.open(args.out / "depth") as depth:
        for case in cases(recording, topics, depth, results):
            truth = true_depth(case, camera) if camera else None
            delta1 = accuracies.add(case.number, case.depth, truth) if truth is not None else None
            gallery.add(case, delta1)
            if camera and shown and case.number == shown[len(shown) // 2]:
                points = cloud_at(depth, results.sent[case.number].stamp)
                picture = gallery.photographs.get(case.number)
                cloud = cloud_parts(case, points, camera, picture) if points is not None and picture is not None else []
            bar.advance(task)
    accuracy = accuracies.result()
    summary = summaries.summarise(results, accuracy, recording, topics, bundle, about)
    (args.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (args.out / "report.html").write_text(report_page(summary, results, accuracy, gallery, cloud), encoding="utf-8")
    bar.stop()
    console.print(summaries.table(summary))
    console.print(f"report     {args.out / 'report.html'}\nsummary    {args.out / 'summary.json'}", highlight=False)
    console.print(f"recording  {args.out / 'depth'}", highlight=False)
    return 0 if summary["passed"] else 1


def _room(bar: Progress) -> Path:
    """The computed room, made where the cache does not hold it."""
    from fastdepth_ros.scene.record import FRAMES, room_recording

    task = bar.add_task("computing a room to look at", total=FRAMES)
    path = room_recording(cache_dir(), lambda done, _: bar.update(task, completed=done))
    bar.update(task, completed=FRAMES, description=ROOM)
    return path


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Four times a second: drawing takes time from the thread that plays.
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        yield bar


def _clear(out: Path) -> None:
    """Make room for new results; of what is there, only what a demo wrote is removed.

    Raises:
        RecordingError: something else is in the way.
    """
    depth = out / "depth"
    foreign = sorted({path.name for path in depth.glob("*")} - RECORDED)
    if foreign:
        cause = f"{depth} holds files that no demo wrote: {', '.join(foreign)}"
        raise RecordingError(cause, "Name another --out, or move them.")
    for path in [out / name for name in WRITTEN] + [depth / name for name in RECORDED]:
        path.unlink(missing_ok=True)
    if depth.exists():
        depth.rmdir()
