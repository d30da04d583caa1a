"""Measured depths correct an answer: what they move and leave alone, what is remembered, and what is not believed."""

import itertools
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from slowly import examples

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.anchors import CAUSES, nothing_of

SHAPE = (112, 112)
NAN = float("nan")


def room():
    """An answer: a floor that recedes, and a box at 1.2 m in the middle of it."""
    rows = np.linspace(5.0, 1.5, 112, dtype=np.float32)[:, None]
    metres = np.repeat(rows, 112, axis=1)
    metres[40:80, 40:72] = 1.2
    return metres


def measured(truth, count=120, source="anchors", noise=0.0, sigma=NAN, seed=0, within=(0, 224, 0, 224)):
    """Points at random pixels of (112, 112) cells of truth."""
    rng = np.random.default_rng(seed)
    left, right, top, bottom = within
    pixels = np.stack((rng.integers(left, right, count), rng.integers(top, bottom, count)), 1)
    depths = truth[pixels[:, 1] // 2, pixels[:, 0] // 2] * np.exp(noise * rng.standard_normal(count))
    return Anchors(source, pixels.astype(np.float32), depths.astype(np.float32), np.full(count, sigma, np.float32))


def error(depth, truth):
    """Mean of |log(depth / truth)|."""
    return float(np.abs(np.log(depth / truth)).mean())


def corrected(anchors, metres=None, **arguments):
    return Anchoring(SHAPE).correct(room() if metres is None else metres, anchors, 0.0, **arguments)


def test_a_wrong_scale_is_mended():
    truth = 1.3 * room()
    done = corrected([measured(truth)])
    assert error(done.depth, truth) < 0.02
    assert done.report.sources[0].used >= 110
    assert done.report.sources[0].ratio == pytest.approx(1.3, rel=0.02)
    assert done.report.scale > 1.15


def test_one_reading_moves_the_whole_picture_a_part_of_the_way():
    pixel = np.array([[112.0, 120.0]], np.float32)
    reading = Anchors("range", pixel, np.array([1.2 * 1.3], np.float32), np.array([0.01], np.float32))
    moved = corrected([reading]).depth / room()
    assert moved.min() > 1.02
    assert moved.max() < 1.3


def test_what_is_near_and_alike_moves_more_than_what_is_neither():
    truth = room()
    truth[40:80, 40:72] = 1.5
    box = (84, 140, 84, 156)
    done = corrected([measured(truth, 60, within=box), measured(truth, 40, "scan", within=(0, 224, 200, 224))])
    moved = done.depth / room()
    assert moved[50:70, 48:64].mean() > 1.15
    assert abs(moved[100:, :].mean() - 1) < 0.04


def test_edges_stay_edges():
    truth = room()
    truth[40:80, 40:72] = 1.5
    depth = corrected([measured(truth, 300)]).depth
    inside, outside = depth[60, 66:71], depth[60, 74:79]
    assert np.ptp(inside) < 0.15
    assert np.ptp(outside) < 0.15
    assert outside.min() - inside.max() > 0.6 * (truth[60, 74] - 1.5)


def test_anchors_that_agree_with_the_answer_change_nothing():
    assert error(corrected([measured(room())]).depth, room()) < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_more_points_are_not_worse_than_fewer(seed):
    rng = np.random.default_rng(seed)
    bend = 0.25 * np.sin(np.linspace(0, 3, 112))[:, None] * np.cos(np.linspace(0, 4, 112))[None] + rng.normal(0, 0.2)
    truth = (room() * np.exp(bend)).astype(np.float32)
    errors = [error(corrected([measured(truth, n, noise=0.08, seed=seed)]).depth, truth) for n in (0, 10, 40, 160, 640)]
    assert all(more < fewer + 0.02 for fewer, more in itertools.pairwise(errors))
    assert errors[-1] < 0.4 * errors[0] + 0.03


def test_wild_points_have_no_say():
    truth = 1.1 * room()
    points = measured(truth, 150, noise=0.03)
    points.depths[::10] *= 6
    done = corrected([points])
    assert error(done.depth, truth) < 0.04
    assert done.report.sources[0].rejected["disagrees"] >= 14


def test_a_heap_of_points_does_not_make_the_rest_worse():
    """Many points on one edge, all wrong by the same: the far corner hardly moves."""
    heap = measured(0.8 * room(), 400, within=(84, 100, 84, 100))
    spread = measured(room(), 40, source="scan", seed=1)
    assert error(corrected([heap, spread]).depth[:30, 80:], room()[:30, 80:]) < 0.05


def test_a_given_sigma_is_used():
    one = Anchors("anchors", *measured(1.4 * room(), 4)[1:3], np.full(4, 0.01, np.float32))
    vague = one._replace(sigmas=np.full(4, 20.0, np.float32))
    assert error(corrected([one]).depth, room()) > 2 * error(corrected([vague]).depth, room())


def test_relative_depths_bend_the_picture_and_leave_its_scale():
    truth = room()
    truth[:, :56] *= 1.4
    points = measured(3.7 * truth, 200)._replace(relative=True)
    done = corrected([points])
    ratio = np.log(done.depth / truth)
    assert np.std(ratio) < 0.5 * np.std(np.log(room() / truth))
    assert abs(done.report.scale - 1) < 0.15
    assert done.report.sources[0].ratio == 1.0


def test_a_zone_means_what_is_near_in_it():
    """A zone half on the box, half on what is behind it: its reading is of the box."""
    zone = (24.0, 10.0)
    reading = Anchors(
        "anchor_depth",
        np.array([[142.0, 120.0]], np.float32),
        np.array([1.2], np.float32),
        np.array([0.01], np.float32),
        zone=zone,
    )
    assert error(corrected([reading]).depth, room()) < 0.01
    assert error(corrected([reading._replace(zone=(0.0, 0.0), pixels=reading.pixels + 8)]).depth, room()) > 0.05


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_source_that_lies_beside_one_that_does_not_is_left_out(factor):
    honest = measured(1.05 * room(), 100, noise=0.03)
    liar = measured(factor * room(), 100, "anchor_depth", noise=0.03, seed=2)
    done = corrected([honest, liar])
    assert [s.believed for s in done.report.sources] == [True, False]
    assert done.report.sources[1].used == 0
    assert done.report.sources[1].ratio == pytest.approx(factor, rel=0.05)
    assert error(done.depth, 1.05 * room()) < 0.03


@pytest.mark.parametrize("factor", [1000.0, 0.001, 3.28])
def test_depths_in_other_units_are_not_believed(factor):
    done = corrected([measured(factor * room(), 100)])
    assert error(done.depth, room()) == 0
    assert done.report.sources[0].used == 0
    assert sum(done.report.sources[0].rejected.values()) == 100


def test_a_source_that_is_mounted_upside_down_is_left_out():
    points = measured(room(), 150)
    turned = points._replace(pixels=223 - points.pixels)
    done = corrected([turned])
    assert not done.report.sources[0].believed
    assert error(done.depth, room()) == 0
    beside = corrected([turned, measured(1.2 * room(), 60, "scan", seed=3)])
    assert error(beside.depth, 1.2 * room()) < 0.03


def test_more_sources_are_surer():
    few = corrected([measured(room(), 10)], sigma=True)
    many = corrected([measured(room(), 10), measured(room(), 100, "anchor_depth", seed=5)], sigma=True)
    assert np.median(many.sigma) < np.median(few.sigma)


def test_sigma_is_small_near_anchors_and_large_far_from_them():
    done = corrected([measured(room(), 60, within=(0, 90, 150, 224))], sigma=True)
    share = done.sigma / done.depth
    assert np.median(share[85:105, 5:40]) < 0.7 * np.median(share[:25, 80:])


def test_the_scale_is_remembered_with_growing_doubt_while_anchors_pause():
    anchoring, truth = Anchoring(SHAPE), 1.4 * room()
    for frame in range(90):
        anchoring.correct(room(), [measured(truth, 60, noise=0.05, seed=frame)], frame / 30)
    soon = anchoring.correct(room(), [], 3.1, sigma=True)
    near, doubt = error(soon.depth, truth), float(np.median(soon.sigma / soon.depth))
    later = anchoring.correct(room(), [], 40.0, sigma=True)
    assert near < 0.1
    assert later.report.age == pytest.approx(40.0 - 89 / 30, abs=1e-3)
    assert later.report.scale_sd > soon.report.scale_sd
    assert float(np.median(later.sigma / later.depth)) > doubt
    assert near < error(later.depth, truth) < error(room(), truth)


def test_a_new_place_is_noticed_and_the_old_one_forgotten():
    anchoring = Anchoring(SHAPE)
    for frame in range(60):
        anchoring.correct(room(), [measured(1.5 * room(), 60, noise=0.05, seed=frame)], frame / 30)
    reports = [
        anchoring.correct(room(), [measured(0.75 * room(), 60, noise=0.05, seed=frame)], frame / 30).report
        for frame in range(60, 66)
    ]
    assert any(report.new_place for report in reports[:3])
    assert reports[0].innovation == pytest.approx(math.log(0.5), abs=0.15)
    assert reports[-1].scale < 0.9


def test_what_is_taken_back_is_forgotten():
    anchoring = Anchoring(SHAPE)
    for frame in range(30):
        anchoring.correct(room(), [measured(1.5 * room(), 60, noise=0.05, seed=frame)], frame / 30)
    done = anchoring.correct(room(), [nothing_of("anchors", taken_back=True)], 1.0)
    np.testing.assert_array_equal(done.depth, room())
    assert done.report.age == math.inf


def test_one_wrong_reading_is_no_new_place():
    anchoring = Anchoring(SHAPE)
    pixel, sd = np.array([[112.0, 120.0]], np.float32), np.array([0.03], np.float32)
    for frame in range(90):
        depth = np.array([1.2 * (2.2 if frame == 60 else 1.0)], np.float32)
        report = anchoring.correct(room(), [Anchors("range", pixel, depth, sd)], frame / 30).report
        assert not report.new_place


def test_memory_beats_single_readings():
    """Readings of another noise each, in a place whose scale is off: the filter is nearer to it than each alone."""
    rng = np.random.default_rng(3)
    remembers, single, truth = Anchoring(SHAPE), Anchoring(SHAPE), 1.35 * room()
    errors = []
    for frame in range(120):
        reading = measured(truth, 3, noise=0.15, seed=int(rng.integers(1 << 30)))
        single.forget()
        now = frame / 5
        errors.append([error(a.correct(room(), [reading], now).depth, truth) for a in (remembers, single)])
    remembered, alone = np.mean(errors[20:], axis=0)
    assert remembered < 0.7 * alone


@pytest.mark.parametrize("now", [NAN, math.inf, -1e18, 0.0, 1e18])
def test_a_clock_that_jumps_does_no_harm(now):
    anchoring = Anchoring(SHAPE)
    anchoring.correct(room(), [measured(1.2 * room())], 100.0)
    for moment in (now, 100.1, now):
        done = anchoring.correct(room(), [measured(1.2 * room())], moment, sigma=True)
        assert error(done.depth, 1.2 * room()) < 0.03
        assert np.isfinite(done.sigma).all()
        assert done.report.age >= 0


def test_a_million_points_are_no_burden():
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 223, (1_000_000, 2)).astype(np.float32)
    depths = (1.2 * room())[(pixels[:, 1] // 2).astype(int), (pixels[:, 0] // 2).astype(int)]
    done = corrected([Anchors("anchors", pixels, depths, np.full(len(depths), NAN, np.float32))], sigma=True)
    assert done.report.sources[0].given == 1_000_000
    assert error(done.depth, 1.2 * room()) < 0.02


def test_points_at_one_pixel_do_not_break_the_fit():
    pixels = np.full((300, 2), 100.0, np.float32)
    depths = np.linspace(1.1, 1.5, 300, dtype=np.float32)
    done = corrected([Anchors("anchors", pixels, depths, np.full(300, 1e-9, np.float32))], sigma=True)
    assert np.isfinite(done.depth).all()
    assert np.isfinite(done.sigma).all()
    assert 1.0 < (done.depth / room())[50, 50] < 1.3


def test_buffers_are_made_once():
    anchoring = Anchoring(SHAPE)
    first = anchoring.correct(room(), [measured(room())], 0.0, sigma=True)
    again = anchoring.correct(room(), [measured(room(), 300)], 0.1, sigma=True)
    assert again.depth is first.depth
    assert again.sigma is first.sigma


@pytest.mark.parametrize("on", [True, False])
def test_opencv_computes_afterwards_as_before(on):
    before = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(on)
    try:
        expected = cv2.ipp.useIPP()
        corrected([measured(room())])
        with pytest.raises(AttributeError):
            corrected([None])
        assert cv2.ipp.useIPP() == expected
    finally:
        cv2.ipp.setUseIPP(before)


@pytest.mark.parametrize("shape", [(112, 112), (128, 160), (48, 80), (16, 16)])
def test_any_size_of_the_networks_input_will_do(shape):
    metres = np.full(shape, 2.0, np.float32)
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 2 * np.array(shape[::-1]) - 1, (80, 2)).astype(np.float32)
    points = Anchors("anchors", pixels, np.full(80, 2.6, np.float32), np.full(80, NAN, np.float32))
    picture = rng.integers(0, 255, (2 * shape[0], 2 * shape[1], 3), np.uint8)
    done = Anchoring(shape).correct(metres, [points], 0.0, sigma=True, picture=picture)
    assert done.depth.shape == done.sigma.shape == shape
    np.testing.assert_allclose(done.depth, 2.6, rtol=0.03)


ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)
SOURCES = st.sampled_from(["anchors", "scan", "range", "anchor_depth", "floor", "of a later version"])


@st.composite
def hostile(draw):
    """Anchors of any numbers, some of them possible."""
    count = draw(st.integers(0, 40))
    sane = draw(st.booleans())
    pixels = draw(hnp.arrays(np.float32, (count, 2), elements=st.floats(0, 223, width=32) if sane else ANY))
    depths = draw(hnp.arrays(np.float32, count, elements=ANY | st.floats(0.5, 8, width=32)))
    sigmas = draw(hnp.arrays(np.float32, count, elements=ANY | st.just(0.0) | st.floats(0.0009765625, 1, width=32)))
    zone = draw(st.sampled_from([(0.0, 0.0), (10.0, 5.0), (1e9, 1e9), (NAN, NAN), (-1.0, math.inf)]))
    return Anchors(draw(SOURCES), pixels, depths, sigmas, draw(st.booleans()), zone)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.lists(hostile(), max_size=3), min_size=1, max_size=3), st.floats(allow_nan=True), st.booleans())
def test_depth_goes_on_whatever_the_anchors_say(frames, now, holes):
    anchoring, metres = Anchoring(SHAPE), room()
    if holes:
        metres[20:50] = 0
    for index, anchors in enumerate(frames):
        done = anchoring.correct(metres, anchors, now + index, sigma=True)
        answered = metres > 0
        assert np.isfinite(done.depth).all()
        assert (done.depth[answered] > 0).all()
        assert (done.depth[~answered] == 0).all()
        assert np.isfinite(done.sigma[answered]).all()
        assert (done.sigma[answered] > 0).all()
        assert np.isnan(done.sigma[~answered]).all()
        assert np.exp(-4.01) < (done.depth[answered] / metres[answered]).min()
        assert (done.depth[answered] / metres[answered]).max() < np.exp(4.01)
        for given_, told in zip(anchors, done.report.sources, strict=True):
            assert told.source == given_.source
            assert told.given == len(given_.depths)
            assert told.used + sum(told.rejected.values()) == told.given
            assert set(told.rejected) <= set(CAUSES)
            assert all(count > 0 for count in told.rejected.values())


@pytest.mark.parametrize(
    ("pixels", "depths", "sigmas"),
    [((5, 2), (4,), (5,)), ((5, 3), (5,), (5,)), ((5,), (5,), (5,)), ((5, 2), (5,), (4,)), ((5, 2), (5, 1), (5, 1))],
)
def test_arrays_that_do_not_fit_each_other_are_no_depths(pixels, depths, sigmas):
    wrong = Anchors("anchors", *(np.ones(shape, np.float32) for shape in (pixels, depths, sigmas)))
    done = corrected([wrong])
    assert error(done.depth, room()) == 0
    assert done.report.sources[0].rejected == {"not a depth": int(np.prod(depths))}


def test_every_anchor_that_is_left_out_has_its_cause():
    metres = room()
    metres[:20] = 0
    good = measured(metres, 50, within=(0, 224, 60, 224))
    bad = [(10, 100, 0), (10, 100, NAN), (10, 100, -2), (10, 100, math.inf), (500, 10, 2), (NAN, 3, 2), (30, 10, 2)]
    extra = np.array(bad, np.float32)
    pixels, depths = np.vstack((good.pixels, extra[:, :2])), np.append(good.depths, extra[:, 2])
    done = corrected([Anchors("anchors", pixels, depths, np.full(len(depths), NAN, np.float32))], metres)
    rejected = done.report.sources[0].rejected
    assert {key: rejected[key] for key in CAUSES[:3]} == {"not a depth": 4, "outside the view": 2, "no answer there": 1}
