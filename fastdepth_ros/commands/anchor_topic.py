"""The argument that names a recording's topics of measured depths."""

from __future__ import annotations

import argparse

from fastdepth_ros.recording.anchors import SOURCES


def add_anchor_topic(parser: argparse.ArgumentParser) -> None:
    """Add ``--anchor-topic``, whose words :func:`fastdepth_ros.recording.anchors.chosen_topics` reads."""
    parser.add_argument(
        "--anchor-topic",
        action="append",
        default=[],
        metavar="SOURCE=TOPIC",
        help=f"a topic of the recording that holds measured depths; empty leaves it out; {', '.join(SOURCES)}",
    )
