"""The status of measured depths: each cause with its remedy, and nothing where all is well."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fastdepth_ros.anchoring.anchors import Report
from fastdepth_ros.diagnostics.anchoring import Jumps, SourceNotes, SourceState, Used, anchoring_status, numbers
from fastdepth_ros.errors import Level

WELL = SourceState(
    "anchors",
    "/anchors",
    publishers=1,
    messages=200,
    rate=20.0,
    silence=0.02,
    frames=300,
    used=150.0,
    ratio=1.1,
    lag=0.02,
)
CORRECTION = Report(1.2, 0.05, 0.1, 0.05, 0.02, 0.1, False, 0.0, ())


def test_sources_that_are_used_are_named_with_their_anchors():
    status = anchoring_status([WELL, SourceState("floor", frames=300, used=40.0)], CORRECTION)
    assert status.level == Level.OK
    assert status.message == "anchored by anchors (150), floor (40)"
    assert status.values["scale"] == "1.200 (within 5 %)"
    assert status.values["anchors: rate [Hz]"] == "20.0"


def test_without_any_source_depth_is_the_networks_and_that_is_well():
    status = anchoring_status([SourceState("scan", "/scan")], None)
    assert status.level == Level.OK
    assert "network's own" in status.message
    assert not status.values


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"silence": 7.0}, ("fell silent 7 s ago", "remembered", "/anchors")),
        ({"problem": "no tf between eye and map: nobody says. Publish it."}, ("no tf between eye and map", "Publish")),
        ({"used": 0.0, "left_out": {"behind the camera": 900.0}}, ("behind the camera", "900", "extrinsics")),
        ({"used": 20.0, "left_out": {"disagrees": 130.0}}, ("most of anchors", "disagrees", "upside down")),
        ({"used": 0.0}, ("holds no point", "/anchors")),
        ({"doubt": "sends no covariances. Let it."}, ("anchors sends no covariances. Let it.",)),
        ({"ratio": 2.1}, ("2.1 times as far as the picture", "extrinsics", "units")),
        ({"ratio": 0.4}, ("2.5 times as near as the picture", "answered too far", "If nothing is near")),
        ({"ratio": 0.04, "disbelieved": 1.0}, ("25.0 times as near", "bear out", "extrinsics", "units")),
        ({"ratio": 1.6, "disbelieved": 0.9}, ("1.6 times as far", "bear out")),
    ],
)
def test_what_is_wrong_with_a_source_is_said_with_the_remedy(change, words):
    status = anchoring_status([replace(WELL, **change)], CORRECTION)
    assert status.level == Level.WARN
    for word in words:
        assert word in status.message


def test_a_source_that_fell_silent_before_anything_was_used_leaves_the_networks_depth():
    status = anchoring_status([replace(WELL, silence=7.0)], CORRECTION._replace(age=math.inf))
    assert "network's own" in status.message


def test_a_scale_that_a_hall_needs_is_no_fault():
    assert anchoring_status([replace(WELL, ratio=1.7)], CORRECTION).level == Level.OK


def test_several_problems_are_all_told():
    status = anchoring_status([replace(WELL, ratio=3.0)], CORRECTION, "odom jumped 4.00 m in map", "no floor")
    assert "and 2 more" in status.message
    assert status.values["problem 2"] == "odom jumped 4.00 m in map"


def test_numbers_are_finite_and_named_after_the_source():
    plotted = numbers([WELL, SourceState("scan", "/scan")], CORRECTION._replace(innovation=math.nan))
    assert plotted["anchoring_anchors_used"] == 150
    assert "anchoring_innovation" not in plotted
    assert not [name for name in plotted if "scan" in name]


def test_notes_are_those_of_the_last_seconds():
    notes = SourceNotes("scan", "/scan")
    assert notes.state(0.0, 0).silence is None
    for step in range(20):
        notes.came(step / 10)
        notes.used(step / 10, Used(10, {"outside the view": 5}, 0.05, 1.2, step % 2 == 0))
    state = notes.state(2.0, 1)
    assert (state.messages, state.frames, state.used) == (20, 20, 10)
    assert state.rate == pytest.approx(10, rel=0.1)
    assert state.left_out == {"outside the view": 5}
    assert state.lag == pytest.approx(0.05)
    assert state.ratio == pytest.approx(1.2)
    assert state.disbelieved == 0.5
    assert state.silence == pytest.approx(0.1)
    assert notes.state(60.0, 1).frames == 0


def test_a_scale_that_jumps_again_and_again_is_said():
    jumps = Jumps()
    for now in (1.0, 3.0, 7.0):
        assert anchoring_status([WELL], CORRECTION, jumps=jumps.count(now)).level == Level.OK
        jumps.note(now)
    status = anchoring_status([WELL], CORRECTION, jumps=jumps.count(8.0))
    assert status.level == Level.WARN
    assert "jumped 3 times in 10 s" in status.message
    assert jumps.count(60.0) == 0


def test_a_doubt_about_most_frames_is_told():
    notes = SourceNotes("scan", "/scan")
    for step in range(30):
        notes.used(step / 10, Used(10, {}, 0.0, 1.0, True))
        if step > 20:
            notes.doubt(step / 10, "is made of depth")
    assert not notes.state(3.0, 1).doubt
    for step in range(30, 60):
        notes.used(step / 10, Used(10, {}, 0.0, 1.0, True))
        notes.doubt(step / 10, "is made of depth")
    assert notes.state(6.0, 1).doubt == "is made of depth"


def test_a_problem_of_a_few_messages_among_good_ones_is_not_told():
    notes = SourceNotes("scan", "/scan")
    for step in range(10):
        notes.came(step / 10)
        if step < 2:
            notes.problem(step / 10, "it cannot be read")
        else:
            notes.used(step / 10, Used(10, {}, 0.0, math.nan, True))
    assert not notes.state(1.0, 1).problem
    for step in range(10, 30):
        notes.problem(step / 10, "it cannot be read")
    assert notes.state(3.0, 1).problem == "it cannot be read"
