"""Distorted pictures of computed rooms give the depth of the undistorted ones."""

from __future__ import annotations

from tools.lens_picture import make_pipeline, measure_rooms


def test_distorted_pictures_of_rooms_give_the_depth_of_the_undistorted_ones():
    found = measure_rooms(make_pipeline(), 6)
    assert set(found) == {"plumb_bob", "equidistant"}
    for straight, straightened, _ in found.values():
        assert abs(straight - straightened) < 0.01
