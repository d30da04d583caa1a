"""`fastdepth bench --power`: the paper's table 2 for this machine."""

from __future__ import annotations

import os

import pytest
from rich.console import Console

from fastdepth_ros.evaluation import power_table
from fastdepth_ros.power import PowerMonitor


@pytest.fixture(scope="module")
def rows(module):
    before = os.sched_getaffinity(0)
    power_table.IDLE, idle = 0.5, power_table.IDLE
    try:
        yield power_table.measure(module, 0.5, lambda _: None)
    finally:
        power_table.IDLE = idle
        assert os.sched_getaffinity(0) == before


def test_each_profile_is_measured_with_its_threads(rows):
    assert [(row["profile"], row["threads"]) for row in rows][1] == ("max-q", 1)
    for row in rows:
        assert row["rate"] > 1
        # Half of the times are at least the median, so the mean is at least half of it. A busy machine makes the
        # mean longer, without bound, but not fifty times.
        assert 20 < row["runtime_ms"] * row["rate"] <= 2000


def test_where_nothing_measures_the_power_it_says_so_instead_of_a_number(rows):
    monitor = PowerMonitor(power_table.load_profiles()["max-n"])
    monitor.start()
    monitor.wait()
    meter = monitor.snapshot().meter
    monitor.stop()
    console = Console(record=True, width=200)
    power_table.show(console, rows)
    shown = console.export_text()
    assert shown.count("no meter") == (4 if meter == "none" else shown.count("no meter"))
    for row in rows:
        assert (row["watts"] is None) == (row["frame_mj"] is None)


def test_the_papers_rows_stand_beside(rows):
    console = Console(record=True, width=200)
    power_table.show(console, rows)
    shown = console.export_text()
    for figures in (("5.6", "178", "12.2 (3.4)", "68"), ("64.0", "15", "3.8 (1.9)", "243")):
        assert any(all(figure in line for figure in figures) for line in shown.splitlines())
