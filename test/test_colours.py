"""Depth as colours, and points as a file."""

import numpy as np

from fastdepth_ros.colours import NO_ANSWER, colourise


def test_near_is_red_far_is_blue_and_no_answer_is_grey():
    depth = np.array([[0.5, 8.0, np.nan, np.inf, -np.inf, 0.0]], np.float32)
    near, far, *others = colourise(depth, 0.5, 8.0)[0]
    assert near[2] > near[0]
    assert far[0] > far[2]
    assert all(tuple(pixel) == NO_ANSWER for pixel in others)


def test_a_map_without_any_depth_is_grey():
    assert (colourise(np.full((4, 4), np.nan)) == NO_ANSWER).all()


def test_the_scale_follows_the_map_where_it_is_not_given():
    wide, narrow = colourise(np.linspace(1, 9, 100)[None]), colourise(np.linspace(2, 3, 100)[None])
    assert np.abs(wide[0, 0].astype(int) - narrow[0, 0]).max() < 8
