"""Watts and millijoules: the figures are those of the tree, within one percent."""

import pytest
from boards import orin_jetpack6, tx2_jetpack4, x86_rapl, xavier_jetpack5
from disturbance import disturb

BOARDS = {
    "tx2": (tx2_jetpack4.build, tx2_jetpack4.set_watts, "VDD_SYS_GPU", "VDD_SYS_CPU"),
    "orin": (orin_jetpack6.build, orin_jetpack6.set_watts, "VDD_CPU_GPU_CV", "VDD_SOC"),
}


@pytest.fixture(params=BOARDS)
def jetson(request, tmp_path, bench):
    build, set_watts, gpu, cpu = BOARDS[request.param]
    tree = build(tmp_path)
    return bench(tree), lambda **watts: set_watts(tree, **watts), gpu, cpu


def test_rails_are_reported_by_name_and_the_whole_is_vdd_in(jetson):
    one, draw, gpu, cpu = jetson
    draw(VDD_IN=7.5, **{gpu: 2.25, cpu: 1.75})
    state = one.run(3)
    assert state.rails["VDD_IN"] == pytest.approx(7.5, rel=0.01)
    assert state.rails[gpu] == pytest.approx(2.25, rel=0.01)
    assert state.rails[cpu] == pytest.approx(1.75, rel=0.01)
    assert state.watts == pytest.approx(7.5, rel=0.01)


def test_energy_of_a_frame_is_the_power_while_frames_were_computed(jetson):
    one, draw, _, _ = jetson
    draw(VDD_IN=3.4)
    one.run(4)
    draw(VDD_IN=10.5)
    state = one.run(6, frame=0.030, rate=30)
    assert state.frames == pytest.approx(150, abs=2)
    assert state.work_watts == pytest.approx(10.5, rel=0.01)
    assert state.idle_watts == pytest.approx(3.4, rel=0.01)
    assert state.active_watts == pytest.approx(7.1, rel=0.01)
    assert state.frame_mj == pytest.approx(10.5 / 30 * 1000, rel=0.01)
    assert state.active_frame_mj == pytest.approx(7.1 / 30 * 1000, rel=0.01)


def test_a_pause_is_no_work(jetson):
    one, draw, _, _ = jetson
    draw(VDD_IN=10.0)
    one.run(2, frame=0.03, rate=20)
    draw(VDD_IN=2.0)
    one.run(3)
    draw(VDD_IN=10.0)
    one.run(2, frame=0.03, rate=20)
    state = one.monitor.snapshot(7)
    # A step falls between two readings, and half of the one in between is on the wrong side of it.
    assert state.work_watts == pytest.approx(10.0, rel=0.02)
    assert state.frame_mj == pytest.approx(500, rel=0.02)
    assert state.watts == pytest.approx((2 * 10 + 3 * 2 + 2 * 10) / 7, rel=0.02)


def test_power_that_changes_within_the_window_is_averaged(jetson):
    one, draw, _, _ = jetson
    draw(VDD_IN=4.0)
    one.run(2.5, frame=0.03)
    draw(VDD_IN=8.0)
    assert one.run(2.5, frame=0.03).watts == pytest.approx(6.0, rel=0.01)


def test_idle_power_is_kept_apart_for_each_mode(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    one = bench(tree)
    tx2_jetpack4.set_watts(tree, VDD_IN=3.4)
    assert one.run(3).idle_watts == pytest.approx(3.4, rel=0.01)
    one.run(1, frame=0.03)
    tree.set_mode("MAXQ")
    tx2_jetpack4.set_watts(tree, VDD_IN=3.8)
    assert one.run(2, frame=0.03).idle_watts is None
    tx2_jetpack4.set_watts(tree, VDD_IN=1.9)
    assert one.run(3).idle_watts == pytest.approx(1.9, rel=0.02)


def test_more_than_the_budget_is_a_warning(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXQ")
    one = bench(tree, "max-q")
    tx2_jetpack4.set_watts(tree, VDD_IN=3.7)
    assert one.run(6, frame=0.06, rate=15).warnings == ()
    tx2_jetpack4.set_watts(tree, VDD_IN=5.0)
    assert "draws 5.0 W, over the 3.8 W of max-q" in str(one.run(6, frame=0.06, rate=15).warnings[0])


def test_a_rail_that_is_not_connected_is_left_out(bench, tmp_path):
    tree = orin_jetpack6.build(tmp_path)
    tree.write(f"{orin_jetpack6.HWMON}/in3_label", "NC")
    assert set(bench(tree).run(2).rails) == {"VDD_IN", "VDD_CPU_GPU_CV"}


def test_without_an_input_rail_the_rails_are_added_up_and_that_is_said(bench, tmp_path):
    tree = orin_jetpack6.build(tmp_path)
    tree.write(f"{orin_jetpack6.HWMON}/in1_label", "VDD_GPU_SOC")
    one = bench(tree)
    assert one.run(2).watts == pytest.approx(5.2 + 0.9 + 1.5, rel=0.01)
    assert "no rail of VDD_GPU_SOC, VDD_CPU_GPU_CV, VDD_SOC measures the whole module" in one.told()


def test_a_xavier_measures_six_rails_and_their_sum_is_the_module(bench, tmp_path):
    tree = xavier_jetpack5.build(tmp_path)
    one = bench(tree)
    xavier_jetpack5.set_watts(tree, GPU=0.95, CPU=5.7, SOC=2.85, CV=0.19, VDDRQ=1.14, SYS5V=2.09)
    state = one.run(6, frame=0.02)
    assert (state.rails["CPU"], state.rails["SYS5V"]) == pytest.approx((5.7, 2.09), rel=0.01)
    assert state.watts == pytest.approx(12.92, rel=0.01)
    assert state.frame_mj == pytest.approx(12.92 / 30 * 1000, rel=0.01)
    assert "no rail of GPU, CPU, SOC, CV, VDDRQ, SYS5V measures the whole module" in one.told()


def test_rapl_counters_run_over_their_end(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)  # one joule before the end
    one = bench(tree)
    state = one.run(4, each=lambda dt: x86_rapl.draw(tree, package=15 * dt, core=9 * dt, dram=2 * dt))
    assert state.rails == pytest.approx({"package-0": 15, "core-0": 9, "dram-0": 2}, rel=0.01)
    assert state.watts == pytest.approx(17, rel=0.01)  # the cores are part of the package, memory is not
    assert state.warnings == ()


def test_energy_of_a_frame_by_rapl(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    one = bench(tree)
    one.run(4, each=lambda dt: x86_rapl.draw(tree, package=5 * dt, dram=1 * dt))
    state = one.run(
        6, frame=0.01, rate=30, each=lambda dt: x86_rapl.draw(tree, package=20 * dt, core=11 * dt, dram=4 * dt)
    )
    assert state.frame_mj == pytest.approx(24 / 30 * 1000, rel=0.01)
    assert state.active_watts == pytest.approx(18, rel=0.01)


def test_a_counter_that_jumps_is_no_energy(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    one = bench(tree)
    steady = lambda dt: x86_rapl.draw(tree, package=15 * dt, dram=2 * dt)  # noqa: E731
    one.run(3, each=steady)
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", 100_000_000_000)
    state = one.run(0.1)
    assert "which cannot be" in str(state.warnings[0])
    assert one.run(5, each=steady).rails["package-0"] == pytest.approx(15, rel=0.01)


def test_a_platform_counter_is_the_whole(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    tree.write("sys/class/powercap/intel-rapl:1/name", "psys")
    tree.write("sys/class/powercap/intel-rapl:1/max_energy_range_uj", x86_rapl.RANGE)
    tree.write("sys/class/powercap/intel-rapl:1/energy_uj", 0)
    one = bench(tree)
    one.run(0.1)
    tree.write("sys/class/powercap/intel-rapl:1/energy_uj", 3_000_000)
    assert one.run(0.1).watts == pytest.approx(30, rel=0.01)


def test_counters_that_only_root_may_read_are_a_note_with_a_remedy(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    one = bench(tree)

    def before(path: str) -> None:
        if path.endswith("energy_uj"):
            raise PermissionError(13, "Permission denied")

    disturb(one.monitor, before)
    state = one.run(2)
    assert (state.meter, state.watts, state.warnings) == ("RAPL", None, ())
    assert "may not be read by this user. Since Linux 5.10 only root may read it" in one.told()


def test_a_battery_does_where_nothing_better_is_readable(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    for zone in x86_rapl.DOMAINS.values():
        tree.remove(f"{x86_rapl.RAPL}/{zone}/energy_uj")
    x86_rapl.add_battery(tree, watts=9.0, percent=63)
    state = bench(tree).run(3)
    assert (state.meter, state.batteries[0].percent) == ("battery", 63)
    assert state.watts == pytest.approx(9.0, rel=0.01)


def test_a_battery_on_its_charger_tells_no_power_and_that_is_no_fault(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    for zone in x86_rapl.DOMAINS.values():
        tree.remove(f"{x86_rapl.RAPL}/{zone}/energy_uj")
    x86_rapl.add_battery(tree, watts=9.0)
    one = bench(tree)
    one.run(3)
    tree.write(f"{x86_rapl.BATTERY}/status", "Charging")
    state = one.run(6)
    assert (state.watts, state.warnings) == (None, ())
    assert "says Charging" in one.told()
