"""Images of another frame in between do not have all forgotten that was learned with those of the camera."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fastdepth_ros.filters.gate import Gate
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.node.kept_frames import PATIENCE, Framed, KeptFrames


class Made:
    """Counts what was made."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    def __call__(self, frame_id: str) -> Framed:
        self.frames.append(frame_id)
        return Framed(OutputMessages(frame_id), cast("Any", None), Gate())


def shown(kept: KeptFrames, *frames: str) -> None:
    for frame in frames:
        if kept.current.messages.frame_id != frame:
            kept.turn_to(frame)
        kept.answered()


@pytest.fixture
def made() -> Made:
    return Made()


def test_a_stranger_s_image_in_between_leaves_the_camera_s_pipeline_as_it_was(made):
    kept = KeptFrames(made)
    shown(kept, *["eye"] * 5)
    eye = kept.current
    for number in range(20):
        shown(kept, f"strange{number}", f"other{number}", "eye")
        assert kept.current is eye
    assert made.frames.count("eye") == 1


def test_two_cameras_on_one_topic_are_made_once_each(made):
    kept = KeptFrames(made)
    shown(kept, *["front", "rear"] * 50)
    assert made.frames == ["", "front", "rear"]


def test_one_that_does_not_come_again_is_given_up(made):
    kept = KeptFrames(made)
    shown(kept, *["eye"] * 1000)
    shown(kept, *["renamed"] * PATIENCE)
    assert kept._other is not None
    shown(kept, "renamed")
    assert kept._other is None
