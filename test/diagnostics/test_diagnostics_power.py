"""Statuses of budget, power and board, and their levels."""

from __future__ import annotations

import pytest

from fastdepth_ros.diagnostics.monitor import Drop, Report
from fastdepth_ros.diagnostics.power import board_status, budget_status, performance, power_status
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power import Budget, Decision, PowerState
from fastdepth_ros.power.board import BoardState
from fastdepth_ros.power.modes import TX2, Clocks

REPORT = Report(
    received=60,
    answered=58,
    dropped={Drop.BUDGET: 2},
    rate_in=30.0,
    rate_out=29.0,
    age=Spread(0.020, 0.031, 0.044),
    stages={"infer": Spread(0.0401, 0.045, 0.05)},
)
FINE = Decision(0.0, False, "p95 of the age 31 ms, budget 100 ms")
STATE = PowerState(
    BoardState(
        "tx2", "quill", TX2[1], "clocks", TX2, Clocks((0, 3, 4, 5), 1.19e9, None, 0.854e9, None), {"GPU-therm": 41.5}
    ),
    "max-q",
    ("MAXQ",),
    "INA3221 (iio)",
    {"VDD_IN": 3.71},
    watts=3.71,
    frames=58,
    work_watts=3.8,
    idle_watts=1.9,
    active_watts=1.9,
    frame_mj=128.0,
    active_frame_mj=64.0,
)
WARNING = Finding(Level.WARN, "rail VDD_IN: /x is missing", "Look at it.")
NOTE = Finding(Level.NOTE, "/y is missing", "It is only shown.")


def test_a_held_budget_is_ok_and_shows_what_it_is_held_against():
    status = budget_status(REPORT, "max-n", Budget(network_ms=64, age_ms=100), FINE, [])
    assert status.level == Level.OK
    assert (status.values["age p95 [ms]"], status.values["age budget, p95 [ms]"]) == ("31.0", "100.0")


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision(12.0, False, "because", lowered=True), ["rate is lowered", "because", "Free the processor"]),
        (Decision(0.0, False, "because", held=False), ["over its budget", "because"]),
        (Decision(0.0, True, "because"), ["single thread"]),
        (Decision(0.0, False, "because", insists=True), ["leaves less to others than its profile wants"]),
        (Decision(0.0, False, "because", held=False, late=True), ["camera driver's delay", "use_sim_time"]),
    ],
)
def test_what_the_governor_does_is_a_warning_with_a_remedy(decision, words):
    status = budget_status(REPORT, "max-n", Budget(age_ms=100), decision, [])
    assert status.level == Level.WARN
    assert all(word in status.message for word in words)


def test_a_network_that_is_slower_than_the_papers_is_a_warning():
    status = budget_status(REPORT, "max-n", Budget(network_ms=37), FINE, [])
    assert (status.level, "40.1 ms, over the 37 ms" in status.message) == (Level.WARN, True)


def test_power_is_told_in_words_and_numbers():
    status = power_status(STATE)
    assert (status.level, status.message) == (Level.OK, "3.71 W, 128.0 mJ a frame")
    assert (status.values["VDD_IN [W]"], status.values["idle [W]"]) == ("3.710", "1.900")


def test_without_a_meter_there_is_no_number():
    status = power_status(PowerState(BoardState(), "max-n", about_power=(NOTE,)))
    assert (status.level, status.values["whole [W]"]) == (Level.OK, "unknown")
    assert "nothing measures" in status.message
    assert status.values["note 1"] == str(NOTE)


def test_each_warning_is_in_the_message_or_below_it():
    second = Finding(Level.WARN, "rail VDD_SOC: /z is missing", "Look at that.")
    status = power_status(PowerState(BoardState(), "max-n", about_power=(WARNING, second)))
    assert status.level == Level.WARN
    assert str(WARNING) in status.message
    assert "1 more" in status.message
    assert status.values["problem 2"] == str(second)


def test_the_board_shows_wanted_and_real_mode():
    status = board_status(STATE)
    assert (status.level, status.message) == (Level.OK, "quill in MAXQ")
    assert (status.values["mode wanted"], status.values["mode in force"]) == ("MAXQ", "MAXQ (by clocks)")
    assert status.values["GPU-therm [C]"] == "41.5"


def test_performance_is_in_si_units_and_leaves_out_what_is_unknown():
    numbers = performance(REPORT, STATE, FINE)
    assert numbers["age_p95"] == 0.031
    assert numbers["infer_p50"] == 0.0401
    assert numbers["frame_joules"] == pytest.approx(0.128)
    assert numbers["watts_VDD_IN"] == 3.71
    assert numbers["dropped_budget"] == 2
    assert "rate_limit" not in numbers
    assert "watts" not in performance(REPORT, PowerState(BoardState(), "max-n"), FINE)
