"""The board's real state, on made-up boards."""

import re
import shutil

import pytest
from boards import orin_jetpack6, rk3588, rpi5, tx2_jetpack4, x86_rapl, xavier_jetpack5
from disturbance import disturb

from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.power.board import BoardReader
from fastdepth_ros.power.files import Files
from fastdepth_ros.power.kinds import KINDS


def test_a_tx2_says_what_it_is_and_what_it_does(bench, tmp_path):
    board = bench(tx2_jetpack4.build(tmp_path, "MAXQ")).run().board
    assert (board.kind, board.model) == ("tx2", "quill")
    assert board.clocks.cores == (0, 3, 4, 5)
    assert board.clocks.gpu_hz == 854_250_000
    assert board.temperatures["GPU-therm"] == 39.0
    assert board.throttled == ()


@pytest.mark.parametrize("mode", tx2_jetpack4.MODES)
def test_the_mode_of_a_tx2_shows_in_its_clocks(bench, tmp_path, mode):
    board = bench(tx2_jetpack4.build(tmp_path, mode)).run().board
    assert (board.mode.name, board.mode_from) == (mode, "clocks")


@pytest.mark.parametrize("mode", tx2_jetpack4.MODES)
def test_a_container_without_nvpmodel_conf_knows_the_modes_of_a_tx2_all_the_same(bench, tmp_path, mode):
    tree = tx2_jetpack4.build(tmp_path, mode)
    tree.remove("etc/nvpmodel.conf")
    assert bench(tree).run().board.mode.name == mode


@pytest.mark.parametrize("mode", orin_jetpack6.MODES)
def test_the_mode_of_an_orin_is_told_by_its_own_table(bench, tmp_path, mode):
    board = bench(orin_jetpack6.build(tmp_path, mode)).run().board
    assert (board.kind, board.mode.name) == ("orin", mode)


@pytest.mark.parametrize("mode", xavier_jetpack5.MODES)
def test_the_mode_of_a_xavier_is_told_by_its_own_table(bench, tmp_path, mode):
    board = bench(xavier_jetpack5.build(tmp_path, mode)).run().board
    assert (board.kind, board.mode.name) == ("xavier", mode)


def test_the_profiles_of_a_xavier_want_its_modes(bench, tmp_path):
    one = bench(xavier_jetpack5.build(tmp_path), "max-q")
    assert one.run().warnings[0].remedy == "Run: sudo nvpmodel -m 2"
    one.tree.set_mode("MODE_15W")
    assert one.run(1.5).warnings == ()


def test_a_board_whose_device_tree_is_hidden_is_known_by_its_gpu(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    shutil.rmtree(tmp_path / "sys" / "firmware")  # as in a Docker container
    board = bench(tree).run().board
    assert (board.kind, board.mode.name) == ("tx2", "MAXN")


def test_clocks_of_no_mode_are_no_mode(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    tree.write(f"{tx2_jetpack4.GPU}/max_freq", 420750000)
    one = bench(tree)
    assert one.run().board.mode is None
    assert "which one is in force cannot be told" in one.told()


def test_an_asked_for_mode_that_is_not_in_force_is_a_warning_with_the_command_that_mends_it(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXP_CORE_ARM")
    one = bench(tree, "max-q")
    warning = one.run().warnings[0]
    assert warning.cause == "power_profile max-q expects mode MAXQ, but the board is in MAXP_CORE_ARM"
    assert warning.remedy == "Run: sudo nvpmodel -m 1"
    tree.set_mode("MAXQ")
    assert one.run(1.5).warnings == ()
    tree.set_mode("MAXN")
    assert "somebody else changed it" in str(one.run(1.5).warnings[0])


def test_a_warm_board_that_slows_down_says_so(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    tree.write("sys/class/thermal/cooling_device1/cur_state", 2)
    state = bench(tree).run()
    assert state.board.throttled == ("gpu-balanced slows the board (state 2)",)
    assert "Cool the board" in str(state.warnings[0])


def test_a_fan_that_turns_is_no_throttling(bench, tmp_path):
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    tree.write("sys/class/thermal/cooling_device0/cur_state", 255)
    assert bench(tree).run().board.throttled == ()


def test_counters_of_throttling_count_only_while_they_move(bench, tmp_path):
    tree = x86_rapl.build(tmp_path)
    one = bench(tree)
    assert one.run().board.throttled == ()
    tree.write("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", 9)
    assert "too hot" in one.run(1.0).board.throttled[0]
    assert one.run(1.0).board.throttled == ()


def test_over_current_of_an_orin_is_throttling(bench, tmp_path):
    tree = orin_jetpack6.build(tmp_path, "MAXN")
    one = bench(tree)
    one.run()
    tree.write("sys/class/hwmon/hwmon1/oc1_event_cnt", 1)
    assert "too much current" in one.run(1.0).board.throttled[0]


def test_a_sleeping_gpu_sensor_is_a_note_and_no_warning(bench, tmp_path):
    import errno
    import os

    tree = orin_jetpack6.build(tmp_path, "MAXN")
    one = bench(tree)
    zone = "sys/class/thermal/thermal_zone1/temp"

    def before(path: str) -> None:
        if path.endswith(zone):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    disturb(one.monitor, before)
    state = one.run()
    assert state.warnings == ()
    assert any(f"{zone} has no value right now (EAGAIN)" in str(finding) for finding in state.findings)


def test_a_plain_computer_has_no_modes_and_no_complaint_about_that(bench, tmp_path):
    state = bench(x86_rapl.build(tmp_path), "max-q").run()
    assert (state.board.kind, state.board.model, state.board.mode) == ("linux", "NUC11ATKC4", None)
    assert state.findings == ()


@pytest.mark.parametrize(
    ("build", "kind", "model", "cpu_hz", "gpu_hz"),
    [
        (rk3588.build, "rk3588", "Radxa ROCK 5B", 2.4e9, 1.0e9),
        (rpi5.build, "rpi5", "Raspberry Pi 5 Model B Rev 1.0", 2.4e9, None),
    ],
)
def test_a_board_without_modes_and_rails_shows_its_clocks_and_heat(bench, tmp_path, build, kind, model, cpu_hz, gpu_hz):
    state = bench(build(tmp_path), "max-q").run()
    board = state.board
    assert (board.kind, board.model, board.mode, board.modes) == (kind, model, None, ())
    assert (board.clocks.cpu_hz, board.clocks.gpu_hz) == (cpu_hz, gpu_hz)
    assert board.temperatures
    assert (state.meter, state.watts) == ("none", None)
    assert state.warnings == ()


@pytest.mark.parametrize(("build", "device"), [(rk3588.build, 2), (rpi5.build, 1)])
def test_a_board_without_modes_says_that_heat_slows_it(bench, tmp_path, build, device):
    tree = build(tmp_path)
    tree.write(f"sys/class/thermal/cooling_device{device}/cur_state", 3)
    assert bench(tree).run().board.throttled == (f"cpufreq-cpu{4 if device == 2 else 0} slows the board (state 3)",)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_of_board_names_targets_that_can_be_compiled_for(kind):
    assert kind.target in {*TARGETS, "host"}
    assert kind.gpu_target in {*GPUS, ""}


def test_a_machine_without_any_of_it_is_told_in_notes(bench, tmp_path):
    from boards.tree import Tree

    tree = Tree(tmp_path)
    tree.write("sys/devices/system/cpu/online", "0-3")
    state = bench(tree).run()
    assert state.board.clocks.cores == (0, 1, 2, 3)
    assert state.warnings == ()
    assert (state.meter, state.watts, state.frame_mj) == ("none", None, None)
    assert any("no power meter" in str(finding) for finding in state.findings)


@pytest.mark.parametrize("count", [400, 5000])
def test_numbers_without_end_are_none(tmp_path, count):
    digits = "9" * count
    tree = tx2_jetpack4.build(tmp_path, "MAXN")
    conf, table = tree.root / "etc/nvpmodel.conf", tree.root / f"{tx2_jetpack4.GPU}/available_frequencies"
    conf.write_text(re.sub(r"(ID=|MAX_FREQ )-?\d+", rf"\g<1>{digits}", conf.read_text()))
    table.write_text(f"{digits} {table.read_text()}")
    reader, files = BoardReader(), Files(tree.root)
    reader.survey(files)
    state = reader.look(files)
    assert state.kind == "tx2"
    assert state.clocks.gpu_top_hz == 1300500000
    assert all(mode.gpu_hz is None or mode.gpu_hz < 1e12 for mode in state.modes)
