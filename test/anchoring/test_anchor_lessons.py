"""A source that takes back what it said takes back no more than that: others have taught the place's scale as well."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.anchors import nothing_of
from fastdepth_ros.anchoring.lessons import Lessons
from fastdepth_ros.anchoring.line import PLACE_LASTS, Evidence, Line
from fastdepth_ros.anchoring.prior import Prior

SHAPE = (112, 112)
RATE = 10


def room():
    return np.repeat(np.linspace(5.0, 1.5, 112, dtype=np.float32)[:, None], 112, axis=1)


def lidar(factor=1.5, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 224, 60), np.full(60, 120)
    depths = factor * room()[y // 2, x // 2] * np.exp(0.02 * rng.standard_normal(60))
    return Anchors("scan", np.stack((x, y), 1).astype(np.float32), depths.astype(np.float32), np.full(60, np.nan, "f4"))


def reading(factor):
    metres = np.array([factor * room()[60, 56]], np.float32)
    return Anchors("range", np.array([[112.0, 120.0]], np.float32), metres, np.float32(0.02) * metres)


def taught(seconds=4):
    anchoring = Anchoring(SHAPE)
    for step in range(seconds * RATE):
        anchoring.correct(room(), [lidar(seed=step)], step / RATE)
    return anchoring


def test_a_stranger_who_is_found_out_again_and_again_does_not_take_the_others_lessons_along():
    """Somebody repeats one message in a frame of his own, until the picture changes; then in another frame."""
    anchoring = taught()
    before = anchoring.correct(room(), [], 4.0).report
    now = 4.0
    for _ in range(5):
        for _ in range(3 * RATE):
            now += 1 / RATE
            anchoring.correct(room(), [reading(1.45)], now)
        report = anchoring.correct(room(), [nothing_of("range", taken_back=True)], now + 1 / RATE).report
    alone = Anchoring(SHAPE)
    for step in range(4 * RATE):
        alone.correct(room(), [lidar(seed=step)], step / RATE)
    expected = alone.correct(room(), [], now + 1 / RATE).report
    assert report.age == pytest.approx(now + 1 / RATE - 3.9, abs=1e-6), "it is the lidar's, and as old as that"
    assert report.scale == pytest.approx(expected.scale, rel=0.02)
    assert report.scale_sd == pytest.approx(expected.scale_sd, rel=0.05)
    assert math.log(before.scale) > 0.3


def test_a_stranger_s_own_lessons_go():
    anchoring = taught()
    for step in range(3 * RATE):
        anchoring.correct(room(), [reading(2.2)], 4 + step / RATE)
    learned = anchoring.correct(room(), [], 7.0).report.scale
    after = anchoring.correct(room(), [nothing_of("range", taken_back=True)], 7.1).report.scale
    alone = taught().correct(room(), [], 7.1).report.scale
    assert learned > 1.05 * alone
    assert after == pytest.approx(alone, rel=0.01)


def test_who_never_taught_takes_nothing_back():
    anchoring = taught()
    before = anchoring.correct(room(), [], 4.0).report
    after = anchoring.correct(room(), [nothing_of("anchor_depth", taken_back=True)], 4.0).report
    assert after.scale == before.scale
    assert after.age == before.age


EVIDENCE = Evidence(np.diag([400.0, 0, 0, 0, 0, 0]), np.array([120.0, 0, 0, 0, 0, 0]), 5.0)


@pytest.fixture
def line():
    line = Line(Prior())
    line.predict(0.0)
    return line


def teach(line, lessons, source, now):
    line.predict(now)
    lessons.teach([source], now)
    line.update(EVIDENCE)


def test_who_came_later_has_what_the_wrong_one_taught_in_what_was_before_him(line):
    lessons = Lessons(line)
    teach(line, lessons, "wrong", 1.0)
    teach(line, lessons, "later", 2.0)
    assert lessons.take_back(["wrong"], 3.0)
    assert line.age == math.inf
    assert lessons.take_back(["later"], 3.0)
    assert line.age == math.inf
    assert not lessons.take_back(["later"], 3.0)


def test_after_a_long_pause_a_source_begins_anew(line):
    lessons = Lessons(line)
    teach(line, lessons, "scan", 1.0)
    teach(line, lessons, "scan", 2.0 + PLACE_LASTS)
    lessons.take_back(["scan"], 3.0 + PLACE_LASTS)
    assert line.age == pytest.approx(2.0 + PLACE_LASTS)


def test_a_clock_that_jumps_back_lets_no_time_pass_twice(line):
    lessons = Lessons(line)
    teach(line, lessons, "scan", 1000.0)
    teach(line, lessons, "range", 1001.0)
    teach(line, lessons, "range", 5.0)
    lessons.take_back(["range"], 5.0)
    assert line.age == pytest.approx(1.0)
    line.predict(6.0)
    assert line.age == pytest.approx(2.0)
    assert np.isfinite(line.held.mean).all()
