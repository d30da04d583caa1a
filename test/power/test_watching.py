"""The thread that watches, in real time: it leaves the machine alone. What it costs: tools/watch_cost.py."""

import os
import threading
import time

from boards import tx2_jetpack4, x86_rapl

from fastdepth_ros.power import PowerMonitor, load_profiles

PROFILES = load_profiles()


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
