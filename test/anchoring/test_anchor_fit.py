"""How anchors are fitted: many one by one, wrong ones without a say, near-only sensors, and from nodes to cells."""

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.enlarging import Enlarging
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import SourceTraits, fit
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.thinning import Points, curve, runs, scales

SHAPE = (112, 112)


def hall():
    """An answer: a floor that recedes from 1.5 to 8 m."""
    return np.repeat(np.geomspace(8.0, 1.5, 112, dtype=np.float32)[:, None], 112, axis=1)


def anchors(pixels, depths, source="anchors"):
    pixels, depths = np.asarray(pixels, np.float32), np.asarray(depths, np.float32)
    return Anchors(source, pixels, depths, np.full(len(depths), np.nan, np.float32))


def measured(truth, pixels, source="anchors"):
    return anchors(pixels, truth[pixels[:, 1] // 2, pixels[:, 0] // 2], source)


def pixels_within(count, top, bottom, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack((rng.integers(0, 224, count), rng.integers(top, bottom, count)), 1)


def corrected(metres, given, **arguments):
    return Anchoring(SHAPE).correct(metres, given, 0.0, **arguments)


def test_beyond_the_reach_of_a_near_only_sensor_the_answer_stays():
    """Where things are far it answers only where it errs: ten such readings do not pull the far wall near."""
    near = measured(hall(), pixels_within(50, 120, 224), "anchor_depth")
    assert near.depths.max() < 4
    stray = anchors(pixels_within(10, 0, 60, seed=1), np.full(10, near.depths.max()))
    both = near._replace(
        pixels=np.vstack((near.pixels, stray.pixels)),
        depths=np.append(near.depths, stray.depths),
        sigmas=np.append(near.sigmas, stray.sigmas),
    )
    moved = np.log(corrected(hall(), [both]).depth / hall())
    assert abs(moved[:30].mean()) < 0.06
    assert np.abs(moved[60:]).max() < 0.02


@pytest.mark.parametrize(("count", "places"), [(40, 40), (200, 200), (2000, 128)])
def test_two_hundred_points_are_followed_one_by_one(count, places):
    field = Field(SHAPE, Prior(), 200)
    field.look(hall())
    field.compare(None)
    place = field.place(pixels_within(count, 0, 224).astype(np.float32))
    points = Points(place, np.zeros(count, np.float32), np.full(count, 0.1, np.float32), np.zeros(count, np.intp))
    fitted = fit(field, points, [SourceTraits(relative=False)], 0.01 * np.eye(6), 0.05)
    assert 0.7 * places < len(fitted.weights) <= places
    assert len(fitted.errors) == count


def test_one_reading_that_agrees_makes_nobody_less_sure():
    reading = measured(hall(), np.array([[112, 112]]), "range")
    with_it = corrected(hall(), [reading], sigma=True).sigma
    without = corrected(hall(), [], sigma=True).sigma
    assert np.median(with_it) < np.median(without)


def test_edges_of_the_answer_are_less_sure():
    metres = hall()
    metres[70:100, 40:70] = 1.0
    sigma = corrected(metres, [measured(metres, pixels_within(200, 0, 224))], sigma=True).sigma
    assert np.median(sigma[80:90, 69:71]) > 2 * np.median(sigma[80:90, 50:60])


def test_runs_of_the_curve_are_many_enough_and_compact():
    field = Field(SHAPE, Prior(), 200)
    field.look(hall())
    pixels = pixels_within(1000, 0, 224).astype(np.float32)
    place = field.place(pixels)
    zeros = np.zeros(1000, np.float32)
    ordered = curve(Points(place, zeros, zeros, np.zeros(1000, np.intp)), scales(Prior()))
    parts = runs(ordered.gaps, 128)
    assert 100 < len(parts.starts) <= 128
    assert parts.counts.sum() == 1000
    assert sorted(ordered.order) == list(range(1000))
    members = np.split(ordered.order, parts.starts[1:])
    assert np.mean([np.ptp(pixels[own], axis=0).max() for own in members]) < 40


def test_sources_are_never_merged():
    field = Field(SHAPE, Prior(), 200)
    field.look(hall())
    place = field.place(np.full((100, 2), 100, np.float32))
    source = np.arange(100) % 2
    zeros = np.zeros(100, np.float32)
    ordered = curve(Points(place, zeros, zeros, source), scales(Prior()))
    members = np.split(source[ordered.order], runs(ordered.gaps, 10).starts[1:])
    assert all(len(set(own)) == 1 for own in members)


@pytest.mark.parametrize("grid", [(28, 28), (4, 4), (32, 40)])
def test_between_nodes_values_follow_surfaces(grid):
    rows, columns = grid
    enlarging = Enlarging(grid, 0.05)
    log_cells = np.zeros((2 * rows, 2 * columns), np.float32)
    log_cells[:, columns:] = 1.0
    log_nodes = log_cells[::2, ::2]
    values = np.where(log_nodes > 0.5, 0.3, -0.2).astype(np.float32)
    done = enlarging.enlarge(values, log_nodes, log_cells)
    np.testing.assert_allclose(done, np.where(log_cells > 0.5, 0.3, -0.2), atol=0.01)
    np.testing.assert_allclose(enlarging.enlarge(np.ones(grid, np.float32), log_nodes, log_cells), 1, rtol=1e-5)


def test_anchors_that_agree_say_little_of_what_is_far_from_them():
    """Exact points along the bottom: above them the answer is about as unsure as without any."""
    row = np.stack((np.arange(2, 222, 2), np.full(110, 216)), 1)
    with_them = corrected(hall(), [measured(hall(), row, "scan")], sigma=True).sigma
    without = corrected(hall(), [], sigma=True).sigma
    assert np.median(with_them[106:110]) < 0.3 * np.median(without[106:110])
    assert np.median(with_them[:40]) > 0.6 * np.median(without[:40])


def test_where_anchors_contradict_the_answer_it_is_less_sure():
    """A lamp before a wall that the network does not see: the few points on it are no measurements of the wall."""
    answer = np.full(SHAPE, 4.0, np.float32)
    truth = answer.copy()
    truth[50:62, 50:62] = 1.5
    pixels = np.stack(np.meshgrid(np.arange(5, 224, 14), np.arange(5, 224, 14)), -1).reshape(-1, 2)
    given = measured(truth, pixels)
    depths = given.depths * np.exp(np.random.default_rng(0).normal(0, 0.03, len(pixels)))
    sigma = corrected(answer, [given._replace(depths=depths.astype(np.float32))], sigma=True).sigma
    assert np.median(sigma[52:60, 52:60]) > 1.6 * np.median(sigma[10:40, 10:40])
