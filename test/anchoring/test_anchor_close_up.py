"""Close-ups: networks that learned from rooms answer them as rooms, and whoever measured that all is near is right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.diagnostics.anchoring import FAR_OFF

SHAPE = (112, 112)
BELOW = np.linspace(1.0, 0.0, 112, dtype=np.float32)[:, None].repeat(112, 1)
ROOM = (1.8 * np.exp(0.5 * BELOW)).astype(np.float32)
"""What is answered: a floor."""

TABLE = (0.5 * np.exp(0.3 * BELOW)).astype(np.float32)
"""What is there: 3.6 to 4.4 times nearer."""


def measured(truth, source="anchor_depth", rows=slice(None), count=64, factor=1.0, seed=0, relative=False):
    rng = np.random.default_rng(seed)
    y, x = rng.choice(np.arange(224)[rows], count), rng.integers(0, 224, count)
    depths = factor * truth[y // 2, x // 2] * np.exp(0.02 * rng.standard_normal(count))
    nothing = np.full(count, np.nan, np.float32)
    pixels = np.stack((x, y), 1).astype(np.float32)
    return Anchors(source, pixels, depths.astype(np.float32), nothing, relative=relative)


SENSORS = {
    "anchor_depth": {},
    "anchors": {"count": 150},
    "scan": {"rows": slice(110, 112), "count": 50},
    "range": {"rows": slice(110, 112), "count": 1},
}


def corrected(*anchors, metres=ROOM, now=0.0, anchoring=None):
    return (anchoring or Anchoring(SHAPE)).correct(metres, list(anchors), now, sigma=True)


def error(depth, truth=TABLE):
    """Mean of |log(depth / truth)|."""
    return float(np.abs(np.log(depth / truth)).mean())


CLOSE = {"anchor_depth": 0.05, "anchors": 0.05, "scan": 0.15, "range": 0.3}
"""Errors that are left, at most [log m]."""


@pytest.mark.parametrize("source", SENSORS)
def test_whoever_measures_that_all_is_near_is_believed(source):
    done = corrected(measured(TABLE, source, **SENSORS[source]))
    assert done.report.sources[0].believed
    assert done.report.sources[0].used > 0
    assert error(done.depth) < CLOSE[source]
    assert done.report.sources[0].ratio < 1 / FAR_OFF, "so that it is said"


@pytest.mark.parametrize("nearer", [0.5, 0.25, 0.1])
def test_however_near_it_is(nearer):
    done = corrected(measured(nearer * ROOM))
    assert error(done.depth, nearer * ROOM) < 0.1


def test_several_that_agree_are_believed_together():
    done = corrected(measured(TABLE), measured(TABLE, "range", **SENSORS["range"]), measured(TABLE, "scan", count=20))
    assert all(source.believed for source in done.report.sources)
    assert error(done.depth) < 0.05


@pytest.mark.parametrize("factor", [4.0, 1 / 40, 1000.0, 0.001], ids=["far", "nearer than can be", "mm", "km"])
def test_what_is_as_much_farther_or_has_other_units_is_not(factor):
    done = corrected(measured(ROOM, factor=factor))
    assert not done.report.sources[0].used
    np.testing.assert_array_equal(done.depth, ROOM)


def test_depth_is_less_sure_for_it_may_be_wrong_all_the_same():
    near, same = (corrected(measured(truth)) for truth in (TABLE, ROOM))
    assert (near.sigma / near.depth).mean() > 3 * (same.sigma / same.depth).mean()
    assert (np.abs(near.depth - TABLE) < 2 * near.sigma).mean() > 0.95
    assert (near.sigma / near.depth).mean() < 0.8


def test_the_answers_form_is_nothing_to_hold_it_against():
    """A table from above: its far edge is what a floor's near one would be."""
    turned = 0.5 * np.exp(-0.3 * BELOW)
    assert corrected(measured(turned)).report.sources[0].believed
    assert error(corrected(measured(turned)).depth, turned) < 0.2


@pytest.mark.parametrize("relative", [False, True])
def test_at_the_answers_own_scale_it_is(relative):
    """Relative depths say nothing of scale, so that they are no close-up at any factor."""
    turned = ROOM[::-1]
    done = corrected(measured(turned, factor=0.3 if relative else 1.0, relative=relative))
    assert not done.report.sources[0].believed


def test_over_many_views_nobody_is_doubted():
    anchoring = Anchoring(SHAPE)
    for view in range(20):
        rng = np.random.default_rng(view)
        room = ROOM * np.exp(0.5 * BELOW.T * rng.uniform(-1, 1) + 0.3 * BELOW * rng.uniform(-1, 1))
        table = 0.4 * np.exp(-0.3 * np.log(room))
        anchors = measured(table.astype(np.float32), seed=view)
        done = corrected(anchors, metres=room.astype(np.float32), now=0.4 * view, anchoring=anchoring)
        assert not done.report.sources[0].doubt
        assert done.report.sources[0].believed


def test_a_look_at_something_near_is_no_new_place():
    anchoring = Anchoring(SHAPE)
    for frame in range(150):
        done = corrected(measured(1.3 * ROOM, seed=frame), now=frame / 30, anchoring=anchoring)
    before = done.report.scale
    for frame in range(150, 170):
        done = corrected(measured(TABLE, seed=frame), now=frame / 30, anchoring=anchoring)
        assert not done.report.new_place
        assert error(done.depth) < 0.1
    for frame in range(170, 200):
        done = corrected(measured(1.3 * ROOM, count=3, seed=frame), now=frame / 30, anchoring=anchoring)
        assert done.report.scale == pytest.approx(before, rel=0.05), "it is what it was at once"
        assert error(done.depth, 1.3 * ROOM) < 0.05


def test_a_new_depth_scale_moves_what_was_known_before_a_close_up_as_well():
    anchoring = Anchoring(SHAPE)
    for frame in range(150):
        corrected(measured(1.3 * ROOM, seed=frame), now=frame / 30, anchoring=anchoring)
    corrected(measured(TABLE), now=5.0, anchoring=anchoring)
    anchoring.rescale(1.3)
    done = corrected(measured(1.3 * ROOM, count=3), metres=1.3 * ROOM, now=5.1, anchoring=anchoring)
    assert done.report.scale == pytest.approx(1.0, rel=0.05)


def test_once_it_is_silent_the_place_is_remembered_and_not_the_close_up():
    scales = []
    for seen in (TABLE, 1.3 * ROOM):
        anchoring = Anchoring(SHAPE)
        for frame in range(160):
            truth = 1.3 * ROOM if frame < 150 else seen
            corrected(measured(truth, seed=frame), now=frame / 30, anchoring=anchoring)
        scales.append(corrected(now=20.0, anchoring=anchoring).report.scale)
    assert abs(math.log(scales[0] / scales[1])) < 0.15, "the close-up itself is 1.6 away"


BEFORE_A_WALL = np.where(np.arange(112)[:, None] < 56, ROOM, TABLE)
"""A table in the lower half, and behind it what was answered."""


def seen_in(rows, factor=1.0, source="scan", count=60):
    return measured(BEFORE_A_WALL, source, rows=rows, count=count, factor=factor)


LOW, HIGH = slice(140, 200), slice(40, 60)


@pytest.mark.parametrize("count", [32, 64])
def test_what_is_near_in_one_part_of_the_picture_is_not_contradicted_by_what_is_far_in_another(count):
    done = corrected(seen_in(LOW, source="anchor_depth", count=count), seen_in(HIGH))
    assert all(source.believed and source.used for source in done.report.sources)
    assert error(done.depth[80:], TABLE[80:]) < 0.15
    assert error(done.depth[10:40], ROOM[10:40]) < 0.15


def test_who_says_that_it_is_farther_in_another_part_is_contradicted():
    done = corrected(seen_in(LOW, factor=4, source="anchors"), seen_in(HIGH, factor=2.2))
    believed = {source.source: source.believed for source in done.report.sources}
    assert believed == {"anchors": True, "scan": False}


@pytest.mark.parametrize("factor", [0.3, 2.5])
def test_where_both_look_one_of_two_that_differ_is_wrong(factor):
    done = corrected(seen_in(HIGH, source="anchor_depth"), seen_in(HIGH, factor=factor))
    believed = {source.source: source.believed for source in done.report.sources}
    assert believed == {"anchor_depth": True, "scan": False}


def test_sources_whose_readings_scatter_are_vague_and_do_not_contradict_each_other():
    rng = np.random.default_rng(2)
    blocks = np.kron(rng.normal(0, 0.5, (7, 7)), np.ones((16, 16)))
    truth = (ROOM * np.exp(blocks)).astype(np.float32)
    for seed in range(8):
        done = corrected(measured(truth, seed=seed), measured(truth, "anchors", count=20, seed=100 + seed))
        assert all(source.believed for source in done.report.sources)
