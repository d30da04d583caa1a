"""`fastdepth bench --power`: the paper's table 2 for this machine."""

from __future__ import annotations

import os

import pytest
from rich.console import Console

from fastdepth_ros.evaluation import power_table
from fastdepth_ros.power import PowerMonitor
from fastdepth_ros.runtime.engine import Engine


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


def test_run_time_is_the_median_and_the_rate_that_of_all_runs(module, monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    class SlowedEngine(Engine):
        """As another program slows it: every third run takes four times as long, by a clock that is the test's."""

        runs = 0

        def run(self):
            clock.now += 0.04 if self.runs % 3 == 2 else 0.01
            self.runs += 1
            return super().run()

    engine, clock = SlowedEngine(module, 1), Clock()
    engine.runs = -1  # the first warms up
    monitor = PowerMonitor(power_table.load_profiles()["max-n"])
    monitor.start()
    monkeypatch.setattr(power_table, "time", clock)
    try:
        row = power_table._row(monitor, engine, "max-n", 0.6)
    finally:
        monitor.stop()
    assert engine.runs == 30
    assert row.runtime_ms == pytest.approx(10.0)
    assert row.rate == pytest.approx(3 / 0.06)


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
