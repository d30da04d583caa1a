"""Measurements are less sure where the answer has changed since they were made."""

from __future__ import annotations

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.anchoring.changes import KEPT, Changes, doubted

NAN = np.float32(np.nan)
WALL = np.full((112, 112), 3.0, np.float32)


def with_somebody(left):
    """The wall, and somebody before it."""
    metres = WALL.copy()
    metres[20:, left : left + 24] = 1.5
    return metres


def anchors_at(*pixels, sigma=NAN):
    count = len(pixels)
    return Anchors("scan", np.float32(pixels), np.full(count, 3, np.float32), np.full(count, sigma, np.float32))


def test_where_somebody_walked_what_was_measured_is_less_sure():
    changes = Changes()
    for step in range(10):
        changes.put(1 + step / 10, with_somebody(4 * step))
    change = changes.since(1.5)
    gone, still, come = 2 * 20 + 3, 200, 2 * 56
    found = doubted(anchors_at((gone, 150), (still, 150), (come, 150), sigma=0.1), change, 0.02)
    assert found.sigmas[1] == np.float32(0.1)
    assert (found.sigmas[[0, 2]] > 1.5).all(), "half as far or twice as far"
    vague = doubted(anchors_at((gone, 150), (still, 150)), change, 0.02)
    assert np.isfinite(vague.sigmas[0])
    assert np.isnan(vague.sigmas[1]), "what is usual of its source goes on to be assumed"


def test_a_scale_that_flickers_is_no_change():
    changes = Changes()
    changes.put(1.0, with_somebody(40))
    changes.put(1.1, 1.2 * with_somebody(40))
    assert changes.since(1.0).max() < 1e-5
    anchors = anchors_at((100, 100), sigma=0.1)
    assert doubted(anchors, changes.since(1.0), 0.02) is anchors


@pytest.mark.parametrize("stamp", [0.5, 1.9, 2.0, 5.0, np.nan])
def test_what_is_as_new_as_the_image_or_older_than_is_known_has_not_changed(stamp):
    changes = Changes()
    assert changes.since(stamp) is None
    for step in range(10):
        changes.put(1.01 + step / 10, with_somebody(4 * step))
    assert changes.since(stamp) is None


def test_answers_are_bounded_and_begin_anew_with_a_recording():
    changes = Changes()
    for step in range(3 * KEPT):
        changes.put(float(step), with_somebody(step % 80))
    assert len(changes._answers) == KEPT
    changes.put(5.0, WALL)
    assert len(changes._answers) == 1
    changes.put(6.0, np.full((48, 80), 2.0, np.float32))
    assert changes.since(5.0) is None


def test_places_without_an_answer_do_no_harm():
    changes = Changes()
    holes = with_somebody(30)
    holes[:30] = 0
    changes.put(1.0, holes)
    changes.put(1.1, WALL)
    found = doubted(anchors_at((0, 0), (223, 223), (100, 30), sigma=0.1), changes.since(1.0), 0.02)
    assert (found.sigmas > 0).all()
    assert np.isfinite(found.sigmas).all()
