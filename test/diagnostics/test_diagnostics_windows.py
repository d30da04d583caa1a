"""Rates and percentiles of the last seconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.diagnostics.windows import GRAIN, MOST, STEADY, Spread, Tally, Window, percentile


def test_a_30_hz_camera_is_seen_at_30_hz():
    window = Window(10.0)
    times = [i / 30 for i in range(900)]
    for time in times:
        window.add(time, None)
    assert window.rate(times[-1]) == pytest.approx(30, rel=0.005)
    assert window.count(times[-1]) == pytest.approx(300, abs=1)


def test_the_rate_falls_when_images_stop():
    window = Window(10.0)
    for i in range(30):
        window.add(i / 30, None)
    assert window.rate(5.0) == pytest.approx(29 / 5)
    assert window.rate(60.0) == 0


def test_percentiles_are_those_of_the_window_only():
    window = Window(10.0)
    for i in range(1000):
        window.add(i * 0.1, float(i))
    spread = Spread.of(window.values(99.9))
    assert (spread.max, spread.p50) == (999.0, pytest.approx(949, abs=1))
    assert spread.p95 == pytest.approx(994, abs=1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_percentiles_are_those_of_numpy(values, share):
    assert percentile(sorted(values), share) == pytest.approx(np.percentile(values, 100 * share), rel=1e-6, abs=1e-6)


def test_an_empty_window_holds_nothing():
    assert Window().values(0.0) == []
    assert Window().rate(0.0) == 0


def test_what_was_forgotten_is_counted_still():
    window = Window(10.0)
    for i in range(1000):
        window.add(i * 0.1, None)
    assert window.count(99.9) == pytest.approx(100, abs=1)
    assert window.total == 1000


def test_a_clock_that_jumps_back_starts_anew():
    window = Window(10.0)
    window.add(1000.0, 1.0)
    window.add(1.0, 2.0)
    assert window.count(1.0) == 1
    assert window.values(1.0) == [2.0]


class Clock:
    """A steady clock that goes on when the test says so."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_what_is_counted_takes_no_room_by_its_number():
    tally = Tally()
    for i in range(100):
        tally.add(i * 0.1, 2**40)
    assert tally.count(9.9) == tally.total == 100 * 2**40
    assert len(tally._entries) == 100


def test_a_clock_that_stands_forgets_by_real_time_and_has_the_rate_of_real_time():
    steady = Clock()
    tally = Tally(10.0, steady)
    for i in range(30 * 3600):
        steady.time = i / 30
        tally.add(1000.0)
    assert tally.rate(1000.0) == pytest.approx(30, rel=0.01)
    assert tally.count(1000.0) == pytest.approx(STEADY * 10 * 30, rel=0.01)
    assert len(tally._entries) <= STEADY / GRAIN + 1


def test_a_recording_that_is_played_slowly_has_the_rate_of_its_own_clock():
    steady = Clock()
    tally = Tally(10.0, steady)
    for i in range(300):
        steady.time = i / 3
        tally.add(i / 30)
    assert tally.rate(299 / 30) == pytest.approx(30, rel=0.05)


@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-4])
def test_two_at_one_moment_are_no_rate_of_a_billion(apart):
    tally = Tally()
    tally.add(5.0)
    tally.add(5.0 + apart)
    assert tally.rate(5.0 + apart) <= 1 / (10 * GRAIN)


def test_values_are_bounded_while_the_clock_stands():
    window = Window(10.0)
    for i in range(3 * MOST):
        window.add(7.0, i)
    assert window.values(7.0) == list(range(2 * MOST, 3 * MOST))
    assert window.count(7.0) == 3 * MOST


def test_two_threads_that_ask_for_the_time_forget_nothing():
    window = Window(10.0)
    window.add(100.0, 1)
    assert window.values(99.999) == [1]
