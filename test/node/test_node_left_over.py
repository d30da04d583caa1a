"""What an answer leaves over is done once, in order, and its faults end nothing."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from fastdepth_ros.diagnostics.monitor import Monitor
from fastdepth_ros.node.left_over import LeftOver
from fastdepth_ros.node.newest_image import NewestImage
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.node.turns import Turns


@pytest.fixture
def faults() -> list[Exception]:
    return []


@pytest.fixture
def left_over(faults) -> LeftOver:
    return LeftOver(faults.append)


def camera_of(left_over: LeftOver | None, done: list[str]) -> NewestImage:
    """What the node takes of a camera that is silent, with a source of measurements."""
    silent = SimpleNamespace(take=list)
    camera = NewestImage(
        silent,
        silent,
        compressed=False,
        hear=lambda _: None,
        monitor=Monitor(0.0),
        limit=RateLimit(0.0),
        power=None,
        now=time.time,
        left_over=left_over,
    )
    camera.aside = SimpleNamespace(waited=(), prepare=lambda: done.append("made ready"))
    return camera


def test_what_is_left_over_is_done_once(left_over, faults):
    done = []
    assert not left_over.is_there
    left_over.finish()
    left_over.leave(lambda: done.append("first"))
    assert left_over.is_there
    assert not done
    left_over.finish()
    assert not left_over.is_there
    left_over.finish()
    assert (done, faults) == (["first"], [])


def test_what_is_left_over_of_an_image_is_done_before_that_of_the_next(left_over):
    done = []
    for name in ("first", "second"):
        left_over.leave(lambda name=name: done.append(name))
    left_over.finish()
    assert done == ["first", "second"]


def test_a_fault_is_told_and_what_is_left_over_next_is_done(left_over, faults):
    done = []
    left_over.leave(lambda: 1 / 0)
    left_over.leave(lambda: done.append("second"))
    left_over.finish()
    assert [type(each) for each in faults] == [ZeroDivisionError]
    assert done == ["second"]


def test_it_is_done_before_measurements_are_made_ready_whatever_goes_wrong(left_over, faults):
    done = []
    camera = camera_of(left_over, done)
    left_over.leave(lambda: done.append("left over"))
    assert camera.is_behind
    camera.prepare()
    assert not camera.is_behind
    left_over.leave(lambda: 1 / 0)
    camera.prepare()
    assert done == ["left over", "made ready", "made ready"]
    assert len(faults) == 1


def test_of_several_cameras_that_of_each_is_done(faults):
    done = []
    each = [LeftOver(faults.append) for _ in range(2)]
    turns = Turns([camera_of(one, done) for one in each])
    assert not turns.is_behind
    each[1].leave(lambda: done.append("left over"))
    assert turns.is_behind
    turns.prepare()
    assert not turns.is_behind
    assert done == ["made ready", "left over", "made ready"]


def test_a_camera_without_answers_leaves_nothing_over():
    done = []
    camera = camera_of(None, done)
    assert not camera.is_behind
    camera.prepare()
    assert done == ["made ready"]
