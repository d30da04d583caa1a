"""The thread that watches: in real time, what it costs, and that it leaves the machine alone."""

import os
import threading
import time

import pytest
from boards import orin_jetpack6, tx2_jetpack4, x86_rapl

from fastdepth_ros.power import PowerMonitor, load_profiles

PROFILES = load_profiles()
BUILDERS = {"tx2": tx2_jetpack4.build, "orin": orin_jetpack6.build, "x86": x86_rapl.build}


@pytest.fixture(params=BUILDERS)
def watched(request, tmp_path):
    tree = BUILDERS[request.param](tmp_path)
    monitor = PowerMonitor(PROFILES["max-n"], tmp_path, nvpmodel=["/nonexistent"])
    monitor.start()
    assert monitor.wait()
    yield tree, monitor
    monitor.stop()


def price_of_waking() -> float:
    """Part of a core that a thread costs here which only wakes up ten times a second, without doing anything."""
    spent = []

    def sleep() -> None:
        before = time.thread_time()
        for _ in range(10):
            time.sleep(0.1)
        spent.append(time.thread_time() - before)

    thread = threading.Thread(target=sleep)
    thread.start()
    thread.join()
    return spent[0]


def test_watching_costs_less_than_a_500th_of_a_core(watched):
    _, monitor = watched
    shares, bare = [], 0.0
    while len(shares) < 4 and min(shares, default=1) >= 0.002:
        cost, begun = monitor.sampler.cost, time.monotonic()
        bare = max(bare, price_of_waking())
        shares.append((monitor.sampler.cost - cost) / (time.monotonic() - begun))
    if bare > 0.0004 and min(shares) >= 0.002:
        pytest.skip(f"other programs are so busy that waking up ten times a second alone costs {bare:.2%} of a core")
    assert min(shares) < 0.002, shares


def test_a_round_is_short(tmp_path):
    tx2_jetpack4.build(tmp_path)
    monitor = PowerMonitor(PROFILES["max-n"], tmp_path, nvpmodel=["/nonexistent"])
    sampler = monitor.sampler
    sampler.round(sampler.files)
    begun = time.thread_time()
    for _ in range(200):
        sampler.round(sampler.files)
    assert (time.thread_time() - begun) / 200 < 100e-6  # ten of them a second: a thousandth of a core


def test_nothing_is_ever_written(tmp_path):
    tree = tx2_jetpack4.build(tmp_path)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}
    for path in before:
        path.chmod(0o555 if os.access(path, os.X_OK) else 0o444)
    monitor = PowerMonitor(PROFILES["max-q"], tmp_path, nvpmodel=["/nonexistent"], manage_mode=True)
    monitor.start()
    monitor.wait()
    for name in ("max-n", "patrol", "max-q"):
        monitor.select(PROFILES[name])
        monitor.frame(time.monotonic(), time.monotonic() + 0.01)
        monitor.snapshot()
        time.sleep(0.15)
    monitor.stop()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(before)
    assert tree.calls == []


def test_a_stopped_monitor_leaves_no_thread(tmp_path):
    x86_rapl.build(tmp_path)
    before = threading.active_count()
    monitor = PowerMonitor(PROFILES["max-n"], tmp_path)
    for _ in range(3):
        monitor.start()
        monitor.wait()
        monitor.stop()
    assert threading.active_count() == before


def test_this_machine_can_be_watched():
    monitor = PowerMonitor(PROFILES["max-n"])
    monitor.start()
    try:
        assert monitor.wait()
        state = monitor.snapshot()
        assert state.board.clocks.cores
        assert "watching the machine failed" not in "".join(map(str, state.findings))
        assert (state.watts is None) or state.watts > 0
    finally:
        monitor.stop()
