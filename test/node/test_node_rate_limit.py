"""max_rate thins out a camera's images evenly."""

from __future__ import annotations

import numpy as np
import pytest

from fastdepth_ros.node.rate_limit import RateLimit


def admitted(limit, rate, seconds=10.0, jitter=0.0):
    rng = np.random.default_rng(0)
    return sum(limit.admits(i / rate + rng.uniform(-jitter, jitter), i / rate) for i in range(int(rate * seconds)))


@pytest.mark.parametrize(
    ("limit", "camera", "out"), [(15, 30, 15), (20, 30, 20), (7, 30, 7), (30, 30, 30), (60, 30, 30), (0, 30, 30)]
)
@pytest.mark.parametrize("jitter", [0.0, 0.002])
def test_so_many_images_a_second_pass_and_no_more(limit, camera, out, jitter):
    assert admitted(RateLimit(limit), camera, jitter=jitter) == pytest.approx(10 * out, abs=3)


def test_what_passes_is_spread_evenly():
    limit = RateLimit(10)
    passed = [i for i in range(90) if limit.admits(i / 30, i / 30)]
    assert set(np.diff(passed)) == {3}


def test_a_pause_is_not_made_up_for():
    limit = RateLimit(10)
    assert limit.admits(0.0, 0.0)
    assert sum(limit.admits(100 + i / 100, i / 100) for i in range(100)) == pytest.approx(10, abs=1)


def test_a_recording_that_starts_again_is_not_held_up():
    limit = RateLimit(1)
    assert limit.admits(1000.0, 1000.0)
    assert limit.admits(3.0, 1000.5)
    assert not limit.admits(3.1, 1000.6)


def test_the_rate_changes_between_two_images():
    limit = RateLimit(1)
    assert limit.admits(0.0, 0.0)
    limit.rate = 100
    assert not limit.admits(0.1, 0.1)  # what is due was said before
    assert limit.admits(1.0, 1.0)
    assert limit.admits(1.01, 1.01)


def test_a_picture_that_is_published_again_and_again_with_one_stamp_is_let_through_by_its_arrival():
    limit = RateLimit(10)
    passed = [i for i in range(90) if limit.admits(1000.0, 5 + i / 30)]
    assert passed[0] == 0
    assert set(np.diff(passed)) == {3}
    # When the stamps go on, they count again, from where they stood.
    assert limit.admits(1000.1, 9.0)
    assert not limit.admits(1000.11, 20.0)


def test_it_tells_how_many_more_would_have_passed():
    limit = RateLimit(10)
    assert limit.admits(0.0, 0.0)
    assert limit.admits(0.1, 0.1)
    assert limit.missed == 0
    assert limit.admits(0.5, 0.5)
    assert limit.missed == 3
    assert not limit.admits(0.51, 0.51)
    assert limit.missed == 0
    limit.rate = 0
    assert limit.admits(0.52, 0.52)
    assert limit.missed > 1000


STAMPS = {
    "descending": lambda i: 1e9 - i,
    "random": lambda i: float(np.random.default_rng(i).uniform(-2e9, 2e9)),
    "two in turn": lambda i: 1e6 * (i % 2),
    "a second each": float,
    "far in the future": lambda i: 2.0**31 * i,
}


@pytest.mark.parametrize("stamps", STAMPS)
def test_stamps_that_lie_let_no_more_pass_than_arrive_in_time(stamps):
    limit = RateLimit(10)
    passed = sum(limit.admits(STAMPS[stamps](i), i / 100) for i in range(1000))
    assert 50 <= passed <= 110


def test_images_that_were_held_up_on_the_way_pass_by_their_stamps():
    limit = RateLimit(30)
    rng = np.random.default_rng(0)
    passed = sum(limit.admits(i / 30, i / 30 + rng.uniform(0, 0.03)) for i in range(900))
    assert passed >= 880


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e-9])
def test_the_least_of_rates_lets_one_image_pass(rate):
    limit = RateLimit(rate)
    assert sum(limit.admits(i / 30, i / 30) for i in range(3)) >= 1
