"""Depth as colours, and points as a file."""

import numpy as np
import pytest

from fastdepth_ros.colours import NO_ANSWER, colourise, relief


def test_near_is_red_far_is_blue_and_no_answer_is_grey():
    depth = np.array([[0.5, 8.0, np.nan, np.inf, -np.inf, 0.0]], np.float32)
    near, far, *others = colourise(depth, 0.5, 8.0)[0]
    assert near[2] > near[0]
    assert far[0] > far[2]
    assert all(tuple(pixel) == NO_ANSWER for pixel in others)


@pytest.mark.parametrize("draw", [colourise, lambda depth: relief(depth, 2.0)], ids=["colourise", "relief"])
def test_a_map_without_any_depth_is_grey(draw):
    assert (draw(np.full((4, 4), np.nan)) == NO_ANSWER).all()


def test_the_scale_follows_the_map_where_it_is_not_given():
    wide, narrow = colourise(np.linspace(1, 9, 100)[None]), colourise(np.linspace(2, 3, 100)[None])
    assert np.abs(wide[0, 0].astype(int) - narrow[0, 0]).max() < 8


def _step(scale: float = 1.0) -> np.ndarray:
    """A thing at 2 m before a wall at 2.2 m, and a hole in the answer."""
    depth = np.full((80, 120), 2.2 * scale, np.float32)
    depth[:, 60:] = 2.0 * scale
    depth[30:50, :10] = np.nan
    return depth


def test_relief_lights_the_edge_that_is_near_and_darkens_the_one_behind():
    row = relief(_step(), 2.0).astype(int).sum(-1)[10]
    assert row[50:59].min() < row[20] - 30
    assert row[61:70].max() > row[110] + 30
    # Where all neighbours are as far there is nothing to shade.
    assert abs(row[20] - row[30]) < 5
    assert abs(row[100] - row[110]) < 5


def test_relief_leaves_what_has_no_answer_grey_and_shades_nothing_around_it():
    picture = relief(_step(), 2.0)
    assert (picture[30:50, :10] == NO_ANSWER).all()
    assert np.abs(picture[40, 12].astype(int) - picture[10, 30]).max() <= 2


def test_relief_does_not_depend_on_the_scale():
    assert np.abs(relief(_step(), 2.0).astype(int) - relief(_step(0.1), 2.0)).max() <= 1


def test_relief_smooths_the_steps_between_the_answers():
    ramp = np.repeat(np.linspace(1, 3, 30), 4)[None].repeat(40, 0)
    steps = [np.abs(np.diff(draw.astype(int)[20, 8:-8], axis=0)).max() for draw in (colourise(ramp), relief(ramp, 4.0))]
    assert steps[1] < steps[0] / 2
