"""Every file of every board deleted, corrupted or blocked: the watch goes on, and says which file it misses."""

import re
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from boards import orin_jetpack6, rk3588, rpi5, tx2_jetpack4, x86_rapl, xavier_jetpack5
from boards.tree import DAMAGE
from disturbance import disturb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slowly import examples

from fastdepth_ros.power import PowerMonitor, load_profiles

BUILDERS = {
    "tx2": tx2_jetpack4.build,
    "xavier": xavier_jetpack5.build,
    "orin": orin_jetpack6.build,
    "rk3588": rk3588.build,
    "rpi5": rpi5.build,
    "x86": x86_rapl.build,
}
PROFILES = load_profiles()
NUMBERS = (b"-500000\n", b"twelve\n", b"99999999999999999999999\n", b"1e3\n", b"0x10\n", b"3.5\n")


def is_number(tree, name: str) -> bool:
    return (tree.root / name).read_bytes().strip().lstrip(b"-").isdigit() and not name.endswith("/online")


def all_files() -> list[object]:
    """Files of every board; of those that differ in numbers alone, as of cores, `make test` takes the first."""
    found: list[object] = []
    for kind, build in BUILDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            tree = build(Path(folder))
        alike = defaultdict(list)
        for name in tree.names:
            if name not in tree.unread:
                alike[re.sub(r"\d+", "0", name)].append(name)
        for names in alike.values():
            marks = dict.fromkeys(names, pytest.mark.slow) | {names[-1]: pytest.mark.again, names[0]: ()}
            found += [pytest.param(kind, name, marks=marks[name]) for name in names]
    return found


@pytest.mark.parametrize("when", ["from the start", "meanwhile"])
@pytest.mark.parametrize(("kind", "name"), all_files())
def test_a_file_that_is_not_as_it_should_be_is_named(bench, tmp_path, kind, name, when):
    tree = BUILDERS[kind](tmp_path)
    one = bench(tree)
    numbers = [*NUMBERS] if is_number(tree, name) else []
    good = (tree.root / name).read_bytes()
    if when == "meanwhile":
        one.run(0.2)
    # A counter of over-current that never was there is missed by nobody.
    optional = when == "from the start" and name.endswith("oc1_event_cnt")
    for how in [*DAMAGE[optional:], *numbers]:
        tree.damage(name, how)
        one.now += 10  # long enough for every search and look to be due
        one.run(0.1)
        state = one.run(0.6)  # the rails that are not the whole are read in turn
        told = [finding for finding in state.findings if name in str(finding)]
        assert told, f"{how}: {[str(finding) for finding in state.findings]}"
        assert all(finding.remedy for finding in told)
        tree.mend(name, good)
    one.now += 10
    one.run(0.1)
    state = one.run(0.6)
    assert not [finding for finding in state.findings if name in str(finding)], "it is whole again"
    assert state.watts is None or state.watts > 0 or kind == "x86"


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mixture_of_damage_is_survived(data, tmp_path_factory, bench):
    kind = data.draw(st.sampled_from(sorted(BUILDERS)))
    tree = BUILDERS[kind](tmp_path_factory.mktemp("board"))
    one = bench(tree, data.draw(st.sampled_from(sorted(PROFILES))))
    hurt = data.draw(st.lists(st.sampled_from(tree.names), unique=True, max_size=12))
    for name in hurt:
        tree.damage(name, data.draw(st.sampled_from(DAMAGE) | st.binary(max_size=40)))
        state = one.run(data.draw(st.sampled_from([0.1, 1.0, 6.0])), frame=0.03)
    state = one.run(6, frame=0.03)
    assert "watching the machine failed" not in one.told()
    assert all(watts >= 0 for watts in state.rails.values())
    assert all(finding.cause and finding.remedy for finding in state.findings)


def hanging(monitor: PowerMonitor, name: str) -> threading.Event:
    """Let a file hang in its driver, as only the kernel can, until the event is set."""
    let_go = threading.Event()

    def before(path: str) -> None:
        if path.endswith(name):
            let_go.wait()

    disturb(monitor, before)
    return let_go


def until(condition, seconds: float = 30.0):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not in {seconds} s"
        time.sleep(0.02)
    return value


def test_a_driver_that_hangs_costs_its_own_rail_only(tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    monitor = PowerMonitor(PROFILES["max-n"], tmp_path, nvpmodel=["/nonexistent"])
    rail = tx2_jetpack4.RAILS["VDD_SYS_SOC"]
    let_go = hanging(monitor, rail)
    monitor.start()
    try:
        state = until(lambda: (s := monitor.snapshot(1.0)).warnings and "VDD_IN" in s.rails and s)
        assert f"{rail} hangs: its driver does not answer" in str(state.warnings[0])
        assert "VDD_SYS_SOC" not in state.rails
        threads = threading.active_count()
        let_go.set()
        until(lambda: "VDD_SYS_SOC" in monitor.snapshot(1.0).rails and not monitor.snapshot(1.0).warnings)
        assert threading.active_count() < threads  # the one that hung is gone
        assert tree.calls == []
    finally:
        let_go.set()
        monitor.stop()


def test_a_snapshot_never_waits_for_a_driver(tmp_path):
    tx2_jetpack4.build(tmp_path, "MAXN")
    monitor = PowerMonitor(PROFILES["max-n"], tmp_path, nvpmodel=["/nonexistent"])
    let_go = hanging(monitor, "online")
    monitor.start()
    try:
        # The driver answers nobody before let_go is set: a snapshot that waited for it would never come back.
        until(lambda: "online hangs" in "".join(map(str, monitor.snapshot().warnings)))
        assert not let_go.is_set()
    finally:
        let_go.set()
        monitor.stop()
