"""``fastdepth demo``: the node on a recording, over DDS, with a table, summary.json and report.html."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fastdepth_ros import models
from fastdepth_ros.commands.anchor_topic import add_anchor_topic
from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import RecordingError, SettingError
from fastdepth_ros.evaluation.sensors import NAMES, Sensor, parse
from fastdepth_ros.recording import CameraTopics, Recording, UnpackedRecording, VideoRecording, find_camera
from fastdepth_ros.recording.anchors import chosen_topics, find_anchors
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.late import prepare_anchors
from fastdepth_ros.runtime.precision import AUTO
from fastdepth_ros.runtime.storage import writable_cache
from fastdepth_ros.settings import LIMITS

if TYPE_CHECKING:
    from fastdepth_ros.demo.feed import Feed
    from fastdepth_ros.demo.results import Results

WRITTEN = ("summary.json", "report.html", "node.log", "node.yaml", "fastdds_loopback.xml")
RECORDED = {"metadata.yaml", "depth.mcap"}
"""Files that a demo leaves in its folder, and in the folder ``depth`` there."""

ALONE = "without_anchors"
"""Folder of the run without measured depths, in that of the demo."""

ROOM = "a computed room"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--recording", type=Path, metavar="DIR", help="rosbag2 folder, .mcap or .db3 file (default: a computed room)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out", "demo"), metavar="DIR", help="for the report (default: %(default)s)"
    )
    parser.add_argument("--rate", type=finite, default=1.0, metavar="X", help="play X times as fast as recorded")
    parser.add_argument("--raw", action="store_true", help="send raw images for compressed pictures")
    parser.add_argument("--model", default=models.DEFAULT, help="bundle: folder or name (default: %(default)s)")
    parser.add_argument(
        "--precision",
        choices=LIMITS["precision"].choices,
        default=AUTO,
        help="see the node's parameter (default: %(default)s)",
    )
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
        "--anchors",
        default="recorded",
        metavar="SENSORS",
        help=f"measured depths beside the images: sensors to simulate, as vo:150,range ({NAMES}); recorded: those of"
        " the recording; off (default: %(default)s)",
    )
    add_anchor_topic(parser)
    parser.add_argument(
        "--anchor-extrinsics", default="", metavar="TEXT", help="where their sensors are; see the node's parameter"
    )
    parser.add_argument(
        "--max-uncertainty", type=finite, default=0.0, metavar="M", help="see the node's parameter; 0 is off"
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
    sensors = [] if args.anchors in ("recorded", "off") else parse(args.anchors)
    _check(args)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends the demo, and its node, as Ctrl-C does
    console = Terminal()
    bundle = models.find_bundle(args.model)
    with _bar(console) as bar:
        path = args.recording or _room(bar)
        with (UnpackedRecording if args.raw else VideoRecording).open(path) as recording:
            topics = find_camera(recording, args.image, args.camera_info, args.ground_truth)
            return _demo(args, console, bar, bundle, recording, topics, sensors)


def _demo(
    args: argparse.Namespace,
    console: Terminal,
    bar: Progress,
    bundle: Bundle,
    recording: Recording,
    topics: CameraTopics,
    sensors: list[Sensor],
) -> int:
    # The graph is entered before ROS is loaded, for its libraries read the environment once.
    from fastdepth_ros.demo.graph import enter_graph

    _clear(args.out)
    _clear(args.out / ALONE)
    enter_graph(args.out)
    from fastdepth_ros.demo.outcome import DEPTH, REPORT, SUMMARY, Runs, write_outcome
    from fastdepth_ros.demo.run import Options, run_node
    from fastdepth_ros.demo.summary import Run, table
    from fastdepth_ros.demo.truth import why_no_truth

    no_truth = why_no_truth(recording, topics)
    if no_truth:
        console.print(f"Not compared with a true depth. {no_truth}", highlight=False, soft_wrap=True)
        topics = replace(topics, ground_truth=None)
    if topics.why_no_camera_info and topics.why_no_camera_info != no_truth:
        console.print(topics.why_no_camera_info, highlight=False, soft_wrap=True)
    feed = _feed(args, console, bar, bundle, recording, topics, sensors)
    name = args.recording.name if args.recording else ROOM
    about = Run.about_to_start(name, args.rate, bundle, no_truth, args.precision)
    uncertain = {"max_uncertainty": args.max_uncertainty} if args.max_uncertainty else {}
    parameters = {"precision": args.precision, **uncertain}
    options = Options(bundle.path, args.cloud, args.output_size, args.rate, parameters, uncertainty=feed is not None)

    def play(folder: Path, what: str, fed: Feed | None) -> Results:
        task = bar.add_task("", total=topics.image.messages)
        results = run_node(
            recording,
            topics,
            options,
            folder,
            say=lambda words: bar.update(task, description=f"{words}{what}"),
            progress=lambda count: bar.update(task, completed=count),
            feed=fed,
        )
        bar.update(task, description=f"played{what}", completed=len(results.sent))
        return results

    alone = play(args.out / ALONE, ", without anchors", None) if feed else None
    if feed and about.choice is not None:
        prepare_anchors(bundle, "host", about.choice.precision, lambda words: console.print(words, highlight=False))
    runs = Runs(play(args.out, ", with anchors" if feed else "", feed), feed, alone)
    task = bar.add_task("comparing with the true depth" if topics.ground_truth else "looking at the answers")
    bar.update(task, total=len(runs.results.answers))
    summary = write_outcome(
        args.out, args.out / ALONE, recording, topics, bundle, about, runs, lambda: bar.advance(task)
    )
    bar.stop()
    if isinstance(recording, UnpackedRecording) and recording.left_out:
        console.print(recording.left_out, highlight=False, soft_wrap=True)
    console.print(table(summary))
    for name, file in (("report", REPORT), ("summary", SUMMARY), ("recording", DEPTH)):
        console.print(f"{name:10} {args.out / file}", highlight=False, soft_wrap=True)
    return 0 if summary["passed"] else 1


def _check(args: argparse.Namespace) -> None:
    """Look at arguments before anything starts.

    Raises:
        SettingError: one cannot be.
    """
    chosen_topics(args.anchor_topic)
    LIMITS["max_uncertainty"].check("--max-uncertainty", args.max_uncertainty)


def _feed(
    args: argparse.Namespace,
    console: Terminal,
    bar: Progress,
    bundle: Bundle,
    recording: Recording,
    topics: CameraTopics,
    sensors: list[Sensor],
) -> Feed | None:
    """Measured depths that go out beside the images; None for none.

    Raises:
        SettingError: sensors cannot be simulated, for the true depth is not known.
        RecordingError: a topic that was named is none.
    """
    from fastdepth_ros.demo.recorded import Recorded
    from fastdepth_ros.demo.simulated import Simulated
    from fastdepth_ros.demo.truth import camera_of

    camera = camera_of(recording, topics)
    if sensors:
        if topics.ground_truth is None or camera is None:
            cause = f"{args.anchors} cannot be simulated: nothing says how far things are"
            raise SettingError(
                cause, "Use a recording with true depth and camera_info, or none, for the computed room."
            )
        task = bar.add_task("simulating sensors", total=topics.image.messages)
        return Simulated(recording, topics, camera, bundle.manifest, sensors, lambda: bar.advance(task))
    if args.anchors == "off":
        return None
    found = find_anchors(recording, topics, chosen_topics(args.anchor_topic))
    feed = Recorded(recording, topics, found, args.anchor_extrinsics) if found.sources else None
    for words in (*found.left_out, *(feed.left_out if feed else ())):
        console.print(words, highlight=False, soft_wrap=True)
    return feed if feed and feed.topics else None


def _room(bar: Progress) -> Path:
    """The computed room, made where the cache does not hold it."""
    from fastdepth_ros.scene.record import FRAMES, room_recording

    task = bar.add_task("computing a room to look at", total=FRAMES)
    path = room_recording(writable_cache("recordings"), lambda done, _: bar.update(task, completed=done))
    bar.update(task, completed=FRAMES, description=ROOM)
    return path


@contextmanager
def _bar(console: Terminal) -> Iterator[Progress]:
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
