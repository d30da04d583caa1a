"""Cameras take turns: whoever was answered longest ago comes first, and nobody waits for one that is silent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.node.turns import Turns, shares, together


class Newest:
    """A camera whose newest image waits, as the node's subscription keeps it."""

    def __init__(self) -> None:
        self.waited, self.besides = (object(),), (object(),)
        self.prepared = 0
        self.is_behind = False
        self.image: int | None = None

    def prepare(self) -> None:
        self.prepared += 1

    def take(self, waited_since: int) -> int | None:  # noqa: ARG002
        image, self.image = self.image, None
        return image


def answered(turns: Turns[int]) -> int | None:
    turn = turns.take(0)
    return None if turn is None else turn.camera


def test_cameras_that_always_send_are_answered_one_after_the_other():
    cameras = [Newest() for _ in range(3)]
    turns = Turns(cameras)
    order = []
    for time in range(9):
        for camera in cameras:
            camera.image = time
        order.append(answered(turns))
    assert order == [0, 1, 2] * 3


def test_a_turn_brings_the_newest_image_of_its_camera():
    cameras = [Newest(), Newest()]
    turns = Turns(cameras)
    cameras[0].image, cameras[1].image = 1, 2
    assert turns.take(0) == (0, 1)
    cameras[1].image = 3
    assert turns.take(0) == (1, 3)
    assert turns.take(0) is None


def test_all_cameras_are_waited_for():
    cameras = [Newest(), Newest()]
    assert list(Turns(cameras).waited) == [cameras[0].waited[0], cameras[1].waited[0]]


def test_what_comes_beside_the_images_of_all_cameras_is_made_ready():
    cameras = [Newest() for _ in range(2)]
    turns = Turns(cameras)
    assert list(turns.besides) == [cameras[0].besides[0], cameras[1].besides[0]]
    turns.prepare()
    assert [each.prepared for each in cameras] == [1, 1]


def test_a_camera_that_was_silent_comes_first_when_it_speaks_again():
    cameras = [Newest(), Newest(), Newest()]
    turns = Turns(cameras)
    for _ in range(5):
        cameras[0].image = cameras[1].image = 1
        answered(turns)
    for camera in cameras:
        camera.image = 2
    assert answered(turns) == 2


@given(st.integers(1, 5), st.lists(st.sets(st.integers(0, 4)), max_size=60))
def test_between_two_turns_of_a_camera_none_that_has_an_image_is_passed_over(count, arrivals):
    cameras = [Newest() for _ in range(count)]
    turns = Turns(cameras)
    has_waited = [0] * count
    for arrived in arrivals:
        for number in arrived:
            if number < count:
                cameras[number].image = 1
        waiting = [number for number, camera in enumerate(cameras) if camera.image is not None]
        turn = answered(turns)
        assert (turn is None) == (not waiting)
        for number in waiting:
            has_waited[number] = 0 if number == turn else has_waited[number] + 1
            assert has_waited[number] < count, "another camera had two turns meanwhile"


LIMITS = st.lists(st.one_of(st.just(0.0), st.floats(0.1, 1000.0)), min_size=1, max_size=6)


@given(st.floats(0.1, 500.0), LIMITS, st.data())
def test_shares_of_those_that_send_are_the_whole_and_none_is_over_its_own_limit(total, limits, data):
    sends = data.draw(st.lists(st.booleans(), min_size=len(limits), max_size=len(limits)))
    found = shares(total, limits, sends)
    assert all(each > 0 for each in found)
    assert all(each <= limit for each, limit in zip(found, limits, strict=True) if limit)
    sending = [number for number, each in enumerate(sends) if each]
    if sending:
        wanted = together([limits[number] for number in sending]) or total
        assert sum(found[number] for number in sending) == pytest.approx(min(total, wanted))


def test_a_rate_is_divided_evenly_and_what_one_may_not_use_goes_to_the_others():
    assert shares(30.0, [0.0, 5.0, 0.0], [True] * 3) == [12.5, 5.0, 12.5]
    assert shares(30.0, [0.0, 0.0, 0.0], [True, False, True]) == [15.0, 10.0, 15.0]
    assert shares(0.0, [0.0, 5.0], [True, True]) == [0.0, 5.0]
    assert shares(10.0, [0.0], [False]) == [10.0]


def test_cameras_have_a_limit_together_where_each_has_one():
    assert together([5.0, 10.0]) == 15.0
    assert together([5.0, 0.0]) == 0.0
