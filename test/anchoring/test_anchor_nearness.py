"""What is nearer than a room is less sure: its scale, and most of all what is above it; until it is measured."""

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.prior import Prior

SHAPE = (112, 112)
ROOM = np.geomspace(6, 1.6, 112, dtype=np.float32)[:, None].repeat(112, 1)
"""An answer whose geometric mean is more than is usual, so that nothing is special about it."""

UP, DOWN = slice(4, 24), slice(88, 108)


def shares(metres, anchors=(), prior=None):
    """Sigma as a share of depth, from the top to the bottom: (upper part, lower part)."""
    done = Anchoring(SHAPE, prior).correct(metres, list(anchors), 0.0, sigma=True)
    share = done.sigma / done.depth
    return float(share[UP].mean()), float(share[DOWN].mean())


def exact(truth, rows, count=112):
    """Exact depths at the middle of some rows, or all over the picture."""
    rng = np.random.default_rng(3)
    columns = rng.integers(0, 112, count)
    row = rng.choice(np.arange(112)[rows], count)
    pixels = np.stack((2 * columns, 2 * row), 1).astype(np.float32)
    return Anchors("scan", pixels, truth[row, columns], np.full(count, np.nan, np.float32))


def test_a_room_is_as_sure_as_without_that():
    assert shares(ROOM) == shares(ROOM, prior=Prior(near=0.0, near_up=0.0))


@pytest.mark.parametrize("nearer", [2, 4])
def test_what_is_nearer_than_usual_is_less_sure_and_most_so_above_it(nearer):
    (up, down), (room_up, room_down) = shares(ROOM / nearer), shares(ROOM)
    assert down > 1.05 * room_down
    assert up / room_up > 1.5 * down / room_down


def test_what_is_very_near_has_a_finite_doubt():
    assert shares(ROOM / 20) == pytest.approx(shares(ROOM / 40), rel=0.2)


def test_measured_depths_all_over_the_picture_make_near_things_nearly_as_sure_as_others():
    near, room = ROOM / 3, ROOM
    alone = shares(near)[0] / shares(room)[0]
    measured = shares(near, [exact(near, slice(None), 400)])[0] / shares(room, [exact(room, slice(None), 400)])[0]
    assert 1 < measured < 0.7 * alone


def test_depths_along_a_row_that_agree_with_each_other_make_no_other_rows_sure():
    """A lidar's neighbours are all alike; what is a third of the picture above them they do not see."""
    up, _ = shares(ROOM, [exact(ROOM, slice(55, 58))])
    assert up > 0.6 * shares(ROOM)[0]
