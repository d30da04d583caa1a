"""``fastdepth play``: a recording's camera and measured depths on DDS, in real time; ``bag:=`` of launch runs it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from fastdepth_ros.commands.anchor_topic import add_anchor_topic
from fastdepth_ros.commands.numbers import finite, seconds
from fastdepth_ros.errors import RecordingError, SettingError, quoted
from fastdepth_ros.recording import Recording, UnpackedRecording, find_camera
from fastdepth_ros.recording.anchors import DEPTH_INFO, SOURCES, AnchorTopics, chosen_topics, find_anchors
from fastdepth_ros.recording.video import SUFFIXES
from fastdepth_ros.runtime.ros_log import provide_log_folder

if TYPE_CHECKING:
    from fastdepth_ros.recording.camera import CameraTopics
    from fastdepth_ros.recording.player import Player

SETTLED = 0.5
"""Time without a further reader after which playing begins [s].

A writer knows of a reader before the reader knows of the writer, and what is sent in between is lost, reliable or not.
"""

LONGEST_PAUSE = 60.0
"""Before a loop begins again [s]; a recording says itself how long it lasts, which may be centuries."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `fastdepth play`."""
    parser.add_argument("recording", type=Path, help="rosbag2 folder, .mcap or .db3 file")
    parser.add_argument("--rate", type=finite, default=1.0, metavar="X", help="X times as fast as recorded")
    parser.add_argument("--loop", action="store_true", help="start again at the end, until stopped")
    parser.add_argument(
        "--image", metavar="TOPIC", help="publish the picture here (compressed and video: TOPIC/compressed)"
    )
    parser.add_argument("--camera-info", metavar="TOPIC", help="publish the camera_info here")
    parser.add_argument("--namespace", default="/", metavar="NS", help="of the player, and of topics not named here")
    parser.add_argument("--from-image", metavar="TOPIC", help="the picture's topic in the recording")
    parser.add_argument("--from-camera-info", metavar="TOPIC", help="the camera_info's topic in the recording")
    parser.add_argument("--camera-only", action="store_true", help="leave out measured depths and tf")
    add_anchor_topic(parser)
    parser.add_argument(
        "--publish",
        action="append",
        default=[],
        metavar="SOURCE=TOPIC",
        help=f"publish measured depths here, also {DEPTH_INFO}=TOPIC (default: as recorded)",
    )
    parser.add_argument("--raw", action="store_true", help="send raw images for compressed pictures and video")
    parser.add_argument("--best-effort", action="store_true", help="offer best-effort delivery, as many drivers do")
    parser.add_argument("--keep-stamps", action="store_true", help="keep the recorded stamps, not the time of playing")
    parser.add_argument("--wait", type=seconds, default=0.0, metavar="S", help="wait up to S seconds for a reader")


def run(args: argparse.Namespace) -> int:
    """Play until the end, or until SIGINT or SIGTERM, neither of which is an error: 0."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    with (UnpackedRecording if args.raw else Recording).open(args.recording) as recording:
        return _play(recording, args, stop)


def _play(recording: Recording, args: argparse.Namespace, stop: threading.Event) -> int:
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from fastdepth_ros.recording.player import Player, below, names_as_published

    topics = find_camera(recording, args.from_image, args.from_camera_info, packets=True)
    names = names_as_published(topics, args.image, args.camera_info, args.namespace)
    measured = _measured(recording, topics, args)
    for topic in measured.topics:
        names[topic.name] = below(args.namespace, topic.name)
    names.update(measured.names(chosen_topics(args.publish, (*SOURCES, DEPTH_INFO))))
    names.update({topic.name: topic.name for topic in measured.transforms})
    played = [*topics.names, *(topic.name for topic in (*measured.topics, *measured.transforms))]
    provide_log_folder()
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = _node(args.namespace)
        player = Player(
            node,
            [recording.topics[name] for name in played],
            names,
            rate=args.rate,
            restamp=not args.keep_stamps,
            reliable=not args.best_effort,
            followers=played[len(topics.names) :],
        )
        if topics.why_no_camera_info:
            sys.stderr.write(f"{topics.why_no_camera_info} (--from-camera-info)\n")
        for words in measured.left_out:
            sys.stderr.write(f"{words} (--anchor-topic)\n")
        for recorded, published in names.items():
            sys.stderr.write(f"{recorded} ({recording.topics[recorded].messages} messages) -> {published}\n")
        if topics.transport in SUFFIXES:
            words = f"is video: read it with image_transport: {topics.transport}, or play it with --raw"
            sys.stderr.write(f"{topics.image.name} {words}\n")
        if args.wait > 0:
            _wait_for_readers(player, topics.image.name, played, args.wait, stop)
        player.play(recording.messages(played), stop)
        pause = min(LONGEST_PAUSE, recording.duration / max(1, topics.image.messages - 1) / args.rate)
        while args.loop and not stop.wait(pause):
            player.play(recording.messages(played), stop)
        player.finish()
        if isinstance(recording, UnpackedRecording) and recording.left_out:
            sys.stderr.write(f"{recording.left_out}\n")
    finally:
        rclpy.try_shutdown()
    return 0


def _node(namespace: str) -> Any:
    import rclpy
    from rclpy.exceptions import NameValidationException

    try:
        return rclpy.create_node("player", namespace="/" + namespace.strip("/"))
    except (NameValidationException, ValueError) as error:
        cause = f"{quoted(namespace)} is no namespace ({str(error).partition(chr(10))[0].rstrip(': ')})"
        raise SettingError(cause, "Use letters, digits, _ and / for --namespace.") from None


def _measured(recording: Recording, topics: CameraTopics, args: argparse.Namespace) -> AnchorTopics:
    """Measured depths that are played beside the camera; tf only with them, and where its messages are installed."""
    from fastdepth_ros.messages.tf import tf_message

    if args.camera_only:
        return AnchorTopics({})
    found = find_anchors(recording, topics, chosen_topics(args.anchor_topic))
    if not found.sources or tf_message() is None:
        if found.sources and found.transforms:
            sys.stderr.write("tf is not played: tf2_msgs is not installed. Set the node's anchor_extrinsics.\n")
        return replace(found, transforms=())
    return found


def _wait_for_readers(player: Player, image: str, played: list[str], seconds: float, stop: threading.Event) -> None:
    """Wait for a reader of the picture, then until no further reader has come for :data:`SETTLED`."""
    found: list[int] = []
    since = begin = time.monotonic()
    while not stop.wait(0.02):
        now, readers = time.monotonic(), [player.readers(name) for name in played]
        if readers != found:
            found, since = readers, now
        if player.readers(image):
            if now - since >= SETTLED:
                return
        elif now - begin > seconds:
            raise RecordingError(
                f"nobody subscribed to {image} within {seconds:g} s", "Start the node, or check --image."
            )
