"""Plays a recording to the node and gathers what comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice, takewhile
from pathlib import Path

from fastdepth_ros import cdr
from fastdepth_ros.demo.client import DemoClient
from fastdepth_ros.demo.feed import Feed
from fastdepth_ros.demo.results import Results, Sent, match
from fastdepth_ros.errors import RecordingError
from fastdepth_ros.harness.process import NodeError, NodeProcess
from fastdepth_ros.recording import CameraTopics, Message, Recording
from fastdepth_ros.recording.player import Player, Published, Stamps, names_as_published
from fastdepth_ros.recording.writer import RecordingWriter

SWITCH_INTERVAL = 0.0005
"""Time for which the client's thread may keep the interpreter [s]; Python's 5 ms would make the player late."""

START_LIMIT = 300.0
"""The first start compiles the network; on a small machine that takes minutes [s]."""

ANSWER_LIMIT = 20.0
"""An active node that has not answered for so long does not answer at all [s]."""

FIRST = 10
"""Images of the beginning that the node is warmed up with: one that is damaged is not the end."""

WARM_UP = 3
"""Images that are answered before the recording starts, so that every cache and buffer is in use, as on a robot."""

FAREWELL = 1.0
"""Time after the last image in which answers are awaited [s]."""

DIAGNOSTICS_PERIOD = 0.25

Say = Callable[[str], None]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Options:
    """Parameters of the node, and of playing the recording.

    Attributes:
        model: folder of the bundle.
        cloud: the node's parameter.
        output_size: likewise.
        rate: how many times faster than recorded.
        parameters: others of the node.
        uncertainty: whether somebody listens to how sure depth is.
        command: what to start instead of the node's module; None for that.
    """

    model: Path
    cloud: str = "xyz"
    output_size: str = "native"
    rate: float = 1.0
    parameters: Mapping[str, object] = field(default_factory=dict)
    uncertainty: bool = False
    command: list[str] | None = None


def run_node(
    recording: Recording,
    topics: CameraTopics,
    options: Options,
    folder: Path,
    say: Say,
    progress: Progress,
    feed: Feed | None = None,
) -> Results:
    """Start the node, play the recording to it, and return what came back; no process is left behind.

    The environment is that of :func:`fastdepth_ros.demo.graph.enter_graph`.

    Args:
        recording: what to play.
        topics: its camera.
        options: what the node is told.
        folder: for the node's log and the recording of its answers (``depth``).
        say: called with what is happening.
        progress: called with the number of images played.
        feed: measured depths that go out beside the images; None for none.

    Raises:
        NodeError: the node ended or does not answer.
        RecordingError: the recording is broken.
    """
    parameters = {
        "model": str(options.model.resolve()),
        "image_transport": "compressed" if topics.compressed else "raw",
        "cloud": options.cloud,
        "output_size": options.output_size,
        # The recording's true depth, and what sensors are simulated from it, are in the raw picture's own grid.
        "rectify": "off",
        "diagnostics_period": DIAGNOSTICS_PERIOD,
        **(feed.parameters if feed else {}),
        **options.parameters,
    }
    sys.setswitchinterval(SWITCH_INTERVAL)
    played = [topic.name for topic in (topics.image, topics.camera_info) if topic]
    with (
        NodeProcess(folder, parameters, options.command) as process,
        RecordingWriter(folder / "depth") as writer,
        DemoClient(writer, cloud=options.cloud != "off", uncertainty=options.uncertainty) as client,
    ):
        player = Player(
            client.node,
            [*(recording.topics[name] for name in played), *(feed.topics if feed else ())],
            {**names_as_published(topics, "/image", "/camera_info"), **(feed.names if feed else {})},
            rate=options.rate,
            reliable=False,
            followers=feed.followers if feed else (),
        )
        say("starting depth_node (the first start compiles the network for this machine)")
        _wait_until_active(process, client)
        say("waiting for the first depth")
        _warm_up(process, client, player, recording, topics)
        results = Results(first_depth=(client.answers[0].received - process.started) / 1e9)

        _hear_a_report(client)
        results.before = client.reports[-1] if client.reports else None

        say("playing")
        before = len(client.answers)
        begin = client.begin = time.time_ns()
        client.recording = True

        def note(published: Published) -> None:
            if published.message.topic == topics.image:
                results.sent.append(Sent(published.recorded_stamp or 0, published.stamp or 0, published.late))
                results.frame_id = results.frame_id or cdr.frame_of(published.message.data)
                progress(len(results.sent))
                process.check()

        messages = feed.beside(recording, played) if feed else recording.messages(played)
        player.play(messages, on_publish=note)
        say("waiting for the last answers")
        client.wait(lambda: len(client.answers) - before >= len(results.sent), FAREWELL)
        _hear_a_report(client)
        client.recording = False
        process.check()
        results.anchoring = client.anchoring
        results.resident, results.peak = process.memory()
        results.answers, results.foreign = match(results.sent, results.frame_id, client.answers[before:])
        results.reports = [report for report in client.reports if report.time >= begin and report.stages]
    return results


def _wait_until_active(process: NodeProcess, client: DemoClient) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        process.check()
        if client.complaint:
            cause = f"depth_node did not start: {client.complaint}\nIts last words:\n{process.last_words()}\n"
            raise NodeError(cause, f"See {process.log}.")
        if client.node_is_active():
            return
        client.wait(lambda: bool(client.complaint), 0.05)
    raise NodeError(
        f"depth_node was not active after {START_LIMIT:g} s:\n{process.last_words()}", f"See {process.log}."
    )


def _warm_up(
    process: NodeProcess, client: DemoClient, player: Player, recording: Recording, topics: CameraTopics
) -> None:
    """Send the first images until a few were answered; best effort may lose them until the ends have met."""
    deadline = time.monotonic() + ANSWER_LIMIT
    for moment in cycle(_first_moments(recording, topics)):
        if len(client.answers) >= WARM_UP:
            return
        process.check()
        if time.monotonic() > deadline:
            cause = f"depth_node is active but gives no depth for {topics.image.name}:\n{process.last_words()}"
            raise NodeError(cause, f"Check that the recording's images can be decoded, and see {process.log}.")
        before, stamps = len(client.answers), Stamps()
        for message in moment:
            player.publish(message, stamps)
        client.wait(lambda before=before: len(client.answers) > before, 0.1)  # type: ignore[misc]


def _hear_a_report(client: DemoClient) -> None:
    """Wait until the node has reported what happened up to now."""
    heard = len(client.reports)
    client.wait(lambda: len(client.reports) > heard, 2 * DIAGNOSTICS_PERIOD + 0.5)


def _first_moments(recording: Recording, topics: CameraTopics) -> list[list[Message]]:
    """The first images, each behind the camera_info that came with the first."""
    images = list(islice(recording.messages([topics.image.name]), FIRST))
    return [[*_camera_info_of(recording, topics, images[0]), image] for image in images]


def _camera_info_of(recording: Recording, topics: CameraTopics, image: Message) -> list[Message]:
    if topics.camera_info is None:
        return []
    try:
        stamp = cdr.stamp_of(image.data)
        infos = recording.messages([topics.camera_info.name])
        return list(takewhile(lambda message: cdr.stamp_of(message.data) <= stamp, infos))[-1:]
    except ValueError as error:
        raise RecordingError(f"a message of {recording.path} is cut short ({error})", "Record it again.") from error
