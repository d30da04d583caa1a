"""``fastdepth demo``: the node on a recording, over DDS, with a table, summary.json and report.html."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fastdepth_ros import models
from fastdepth_ros.errors import RecordingError, SettingError
from fastdepth_ros.recording import CameraTopics, Recording, UnpackedRecording, find_camera
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.storage import writable_cache
from fastdepth_ros.settings import LIMITS

WRITTEN = ("summary.json", "report.html", "node.log", "node.yaml", "fastdds_loopback.xml")
RECORDED = {"metadata.yaml", "depth.mcap"}
"""Files that a demo leaves in its folder, and in the folder ``depth`` there."""

ROOM = "a computed room"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--recording", type=Path, metavar="DIR", help="rosbag2 folder, .mcap or .db3 file (default: a computed room)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out", "demo"), metavar="DIR", help="for the report (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, default=1.0, metavar="X", help="play X times as fast as recorded")
    parser.add_argument("--raw", action="store_true", help="send raw images for compressed pictures")
    parser.add_argument("--model", default=models.DEFAULT, help="bundle: folder or name (default: %(default)s)")
    parser.add_argument("--image", metavar="TOPIC", help="the picture's topic in the recording")
    parser.add_argument("--camera-info", metavar="TOPIC", help="the camera_info's topic in the recording")
    parser.add_argument("--ground-truth", metavar="TOPIC", help="the true depth's topic in the recording")
    parser.add_argument(
        "--cloud",
        choices=LIMITS["cloud"].choices,
        default="xyz",
        help="points, too; they are most of what is recorded",
    )
    parser.add_argument(
        "--output-size", choices=LIMITS["output_size"].choices, default="native", help="see the node's parameter"
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
        with (UnpackedRecording if args.raw else Recording).open(path) as recording:
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
    from fastdepth_ros.demo.outcome import DEPTH, REPORT, SUMMARY, write_outcome
    from fastdepth_ros.demo.run import Options, run_node
    from fastdepth_ros.demo.summary import Run, table
    from fastdepth_ros.demo.truth import why_no_truth

    no_truth = why_no_truth(recording, topics)
    if no_truth:
        console.print(f"Not compared with a true depth. {no_truth}", highlight=False, soft_wrap=True)
        topics = replace(topics, ground_truth=None)
    if topics.why_no_camera_info and topics.why_no_camera_info != no_truth:
        console.print(topics.why_no_camera_info, highlight=False, soft_wrap=True)
    task = bar.add_task("", total=topics.image.messages)
    about = Run.about_to_start(args.recording.name if args.recording else ROOM, args.rate, bundle, no_truth)
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
    task = bar.add_task("comparing with the true depth" if topics.ground_truth else "looking at the answers")
    bar.update(task, total=len(results.answers))
    summary = write_outcome(args.out, recording, topics, bundle, about, results, lambda: bar.advance(task))
    bar.stop()
    if isinstance(recording, UnpackedRecording) and recording.left_out:
        console.print(recording.left_out, highlight=False, soft_wrap=True)
    console.print(table(summary))
    for name, file in (("report", REPORT), ("summary", SUMMARY), ("recording", DEPTH)):
        console.print(f"{name:10} {args.out / file}", highlight=False, soft_wrap=True)
    return 0 if summary["passed"] else 1


def _room(bar: Progress) -> Path:
    """The computed room, made where the cache does not hold it."""
    from fastdepth_ros.scene.record import FRAMES, room_recording

    task = bar.add_task("computing a room to look at", total=FRAMES)
    path = room_recording(writable_cache("recordings"), lambda done, _: bar.update(task, completed=done))
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
