"""Sources that do not follow the picture, or contradict one another, are found out over several views."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.agreement import EVERY, LOOKS, PATIENCE

SHAPE = (112, 112)
VIEWS = 18


def view_of(seed):
    """A room: a wall that recedes to one side, things before it at any place, and a floor."""
    rng = np.random.default_rng(seed)
    wall = np.linspace(*rng.uniform(2, 6, 2), 112)[None].repeat(112, 0)
    floor = 1.5 * 56 / np.maximum(np.arange(112)[:, None] - 50, 1)
    truth = np.minimum(wall, floor)
    for _ in range(6):
        row, column, height, width = *rng.integers(0, 90, 2), *rng.integers(20, 60, 2)
        box = truth[row : row + height, column : column + width]
        np.minimum(box, rng.uniform(1, 4), out=box)
    return truth.astype(np.float32)


def answered(seed):
    """Answer of a network to it: nearer, and wrong by parts."""
    rng = np.random.default_rng(1000 + seed)
    bend = 0.15 * np.sin(np.linspace(0, 4, 112) + rng.uniform(0, 6)) * np.cos(np.linspace(0, 3, 112))[:, None]
    return (view_of(seed) * np.exp(bend) / 1.2).astype(np.float32)


def measured(truth, source, seed, count=80, factor=1.0, row=None, noise=0.02):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 224, count), np.full(count, row) if row else rng.integers(0, 224, count)
    depths = factor * truth[y // 2, x // 2] * np.exp(noise * rng.standard_normal(count))
    nothing = np.full(count, np.nan, np.float32)
    return Anchors(source, np.stack((x, y), 1).astype(np.float32), depths.astype(np.float32), nothing)


def lidar(truth, seed):
    return measured(truth, "scan", seed, row=100)


def tof(truth, seed):
    return measured(truth, "anchor_depth", seed)


MOUNTED = {
    "well": lambda seed: view_of(seed),
    "upside down": lambda seed: view_of(seed)[:, ::-1],
    "backwards": lambda seed: view_of(seed + 300),
}


def seen(anchoring, sense, mounted, views, frames=1):
    """The last report, and depth, of several views, each of which stays for some frames."""
    for seed in views:
        for frame in range(frames):
            anchors = [sense(MOUNTED[mounted](seed), seed + 31 * frame)]
            done = anchoring.correct(answered(seed), anchors, seed + frame / 30, sigma=True)
    return done


@pytest.mark.parametrize("sense", [lidar, tof])
def test_a_sensor_that_follows_the_picture_stays_believed(sense):
    anchoring = Anchoring(SHAPE)
    for seed in range(30):
        done = seen(anchoring, sense, "well", [seed])
        assert not done.report.sources[0].doubt
        assert done.report.sources[0].believed


@pytest.mark.parametrize("sense", [lidar, tof])
@pytest.mark.parametrize("mounted", ["upside down", "backwards"])
def test_a_sensor_that_looks_elsewhere_is_left_out_with_all_that_it_taught(sense, mounted):
    anchoring = Anchoring(SHAPE)
    done = seen(anchoring, sense, mounted, range(VIEWS))
    said = done.report.sources[0]
    assert "does not follow the picture" in said.doubt
    assert "Check its frame and extrinsics" in said.doubt
    assert (not said.believed, said.used) == (True, 0)
    assert ("mirror image" in said.doubt) == (mounted == "upside down")
    np.testing.assert_array_equal(done.depth, answered(VIEWS - 1))
    assert done.report.age == math.inf, "what it said of the scale is forgotten"


def test_relative_depths_are_held_against_the_picture_as_well():
    anchoring = Anchoring(SHAPE)
    done = seen(anchoring, lambda *view: tof(*view)._replace(relative=True), "backwards", range(VIEWS))
    assert "does not follow" in done.report.sources[0].doubt


def test_one_view_however_long_is_not_enough():
    anchoring = Anchoring(SHAPE)
    done = seen(anchoring, lidar, "backwards", [3], frames=60)
    assert not done.report.sources[0].doubt


def test_where_the_answer_is_flat_nothing_is_said():
    anchoring = Anchoring(SHAPE)
    for seed in range(VIEWS):
        flat = np.full(SHAPE, 1.0 + seed % 5, np.float32)
        done = anchoring.correct(flat, [lidar(view_of(seed), seed)], float(seed))
        assert not done.report.sources[0].doubt


def test_a_sensor_that_was_mended_is_believed_again():
    anchoring = Anchoring(SHAPE)
    assert seen(anchoring, lidar, "backwards", range(VIEWS)).report.sources[0].doubt
    done = seen(anchoring, lidar, "well", range(VIEWS, 2 * VIEWS))
    assert not done.report.sources[0].doubt
    assert done.report.sources[0].used > 60


def test_what_was_found_out_is_forgotten_with_the_rest():
    anchoring = Anchoring(SHAPE)
    assert seen(anchoring, lidar, "backwards", range(VIEWS)).report.sources[0].doubt
    anchoring.forget()
    assert not seen(anchoring, lidar, "well", [0]).report.sources[0].doubt


def together(anchoring, factor, frames, second="anchors"):
    """A scan that is right, and points that say everything is so many times as far, in one view after the other."""
    for frame in range(frames):
        seed = frame // 10
        truth = view_of(seed)
        scan = measured(truth, "scan", frame, row=100, noise=0.01)
        points = measured(truth, second, frame + 7, 150, factor, noise=0.08)
        done = anchoring.correct(answered(seed), [scan, points], frame / 30, sigma=True)
    return done


ENOUGH = EVERY * (LOOKS + 4)


def test_of_two_sources_that_contradict_each_other_the_surer_one_holds_and_both_are_named():
    anchoring = Anchoring(SHAPE)
    done = together(anchoring, 1.4, ENOUGH)
    scan, points = done.report.sources
    assert not scan.doubt
    assert scan.used > 60
    assert "times as far as scan, where both look, and one of them is wrong" in points.doubt
    assert float(points.doubt.split()[1]) == pytest.approx(1.4, rel=0.06)
    assert (points.believed, points.used) == (False, 0)


def test_where_it_is_not_clear_which_is_wrong_both_are_used_and_named():
    """The vaguer one is nearer to what the picture says."""
    anchoring = Anchoring(SHAPE)
    for frame in range(ENOUGH):
        seed = frame // 10
        scan = measured(1.1 * answered(seed) * 1.35, "scan", frame, row=100, noise=0.01)
        points = measured(1.1 * answered(seed), "anchors", frame + 7, 150, noise=0.08)
        done = anchoring.correct(answered(seed), [scan, points], frame / 30, sigma=True)
    doubts = [source.doubt for source in done.report.sources]
    assert [source.believed for source in done.report.sources] == [True, True]
    assert "one of them is wrong" in "".join(doubts)
    assert anchoring.trust.spread > 0.1


def test_one_view_that_is_answered_too_far_does_not_decide_between_two():
    """In it the wrong one says what the picture says; over all views it does not. It is that in which they decide."""
    anchoring = Anchoring(SHAPE)
    for frame in range(ENOUGH):
        seed = frame // 10
        truth, odd = 1.1 * answered(seed), seed == (LOOKS - 1) * EVERY // 10
        scan = measured(truth * 1.35, "scan", frame, row=100, noise=0.01)
        points = measured(truth, "anchors", frame + 7, 150, noise=0.08)
        done = anchoring.correct(answered(seed) * (1.4 if odd else 1.0), [scan, points], frame / 30)
    assert [source.believed for source in done.report.sources] == [True, True]


def test_as_long_as_they_contradict_each_other_depth_is_less_sure():
    alone, beside = Anchoring(SHAPE), Anchoring(SHAPE)
    done = together(beside, 1.4, ENOUGH)
    seed = (ENOUGH - 1) // 10
    for frame in range(3):
        scan = measured(view_of(seed), "scan", frame, row=100, noise=0.01)
        sure = alone.correct(answered(seed), [scan], frame / 30, sigma=True)
    share = np.hypot(np.median(sure.sigma / sure.depth), 0.1)
    assert np.median(done.sigma / done.depth) > share


@pytest.mark.parametrize("factor", [1.0, 1.08])
def test_sources_that_differ_by_little_are_both_used(factor):
    done = together(Anchoring(SHAPE), factor, ENOUGH)
    assert [bool(source.doubt) for source in done.report.sources] == [False, False]
    assert done.report.sources[1].used > 100


def test_sources_that_agree_again_are_both_used():
    anchoring = Anchoring(SHAPE)
    assert together(anchoring, 1.4, ENOUGH).report.sources[1].doubt
    assert not together(anchoring, 1.0, 20 * EVERY).report.sources[1].doubt


def test_who_is_left_alone_is_believed_again_after_a_while():
    anchoring = Anchoring(SHAPE)
    assert together(anchoring, 1.4, ENOUGH).report.sources[1].doubt
    for frame in range(PATIENCE + 3):
        points = measured(view_of(0), "anchors", frame, 60, 1.4, noise=0.08)
        done = anchoring.correct(answered(0), [points], 10 + frame / 30)
        assert bool(done.report.sources[0].doubt) == (frame < PATIENCE)


@pytest.mark.parametrize(("factor", "least"), [(1.2, 0.0), (2.2, 0.3)])
def test_who_alone_says_what_is_unlikely_leaves_depth_unsure(factor, least):
    """A factor of 2.2 may be a hall's, or feet for half a metre: the picture is one witness, the points another."""
    done = Anchoring(SHAPE).correct(answered(1), [measured(answered(1), "anchors", 1, 150, factor)], 0.0, sigma=True)
    right = Anchoring(SHAPE).correct(answered(1), [measured(answered(1), "anchors", 1, 150, 1.0)], 0.0, sigma=True)
    sure = float(np.median(right.sigma / right.depth))
    assert least < float(np.median(done.sigma / done.depth)) < 1.3 * sure + 2 * least
    scan = measured(answered(1), "scan", 2, 60, factor, row=150, noise=0.01)
    points = measured(answered(1), "anchors", 1, 150, factor)
    both = Anchoring(SHAPE).correct(answered(1), [points, scan], 0.0, sigma=True)
    assert np.median(both.sigma / both.depth) < 1.3 * sure, "two that agree are not both wrong"


def test_a_sigma_that_is_said_too_large_makes_depth_no_surer():
    """Centimetres for metres: errors are small beside it, which tells nothing of the network's."""
    points = measured(answered(1), "anchors", 1, 150, 1.1)
    vague = points._replace(sigmas=np.full(150, 5.0, np.float32))
    usual, unsure, none = (
        Anchoring(SHAPE).correct(answered(1), anchors, 0.0, sigma=True) for anchors in ([points], [vague], [])
    )
    shares = [float(np.median(done.sigma / done.depth)) for done in (usual, unsure, none)]
    assert shares[0] < 0.7 * shares[1]
    assert shares[1] > 0.5 * shares[2]
