"""A made-up Jetson Orin NX with JetPack 6: INA3221 through hwmon, nvpmodel with modes that only its own file knows."""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree, configuration

CPU = "sys/devices/system/cpu"
GPU = "sys/class/devfreq/17000000.gpu"
HWMON = "sys/bus/i2c/devices/1-0040/hwmon/hwmon3"
RAILS = {"VDD_IN": 1, "VDD_CPU_GPU_CV": 2, "VDD_SOC": 3}
VOLTS = 5.0
# name: number, cores, kHz, GPU Hz; -1 is no limit
MODES = {
    "MAXN": (0, 8, -1, -1),
    "10W": (1, 4, 1190400, 612000000),
    "15W": (2, 4, 1420800, 612000000),
    "25W": (3, 8, 1497600, 408000000),
}
TOP, GPU_TOP = 1984000, 918000000
ZONES = {"cpu-thermal": 49500, "gpu-thermal": 47000, "soc0-thermal": 46000, "tj-thermal": 49500}


def build(root: Path, mode: str = "25W") -> Tree:
    """The board in a mode."""
    tree = Tree(root)
    tree.write("sys/firmware/devicetree/base/model", b"NVIDIA Jetson Orin NX Engineering Reference Developer Kit\0")
    tree.write(
        "sys/firmware/devicetree/base/compatible", b"nvidia,p3768-0000+p3767-0000\0nvidia,p3767-0000\0nvidia,tegra234\0"
    )
    table = {
        name: (number, {core: int(core < cores) for core in range(8)}, {"CPU_A78_0": cpu, "CPU_A78_1": cpu}, gpu)
        for name, (number, cores, cpu, gpu) in MODES.items()
    }
    tree.write("etc/nvpmodel.conf", configuration(table))
    tree.write(f"{GPU}/available_frequencies", "306000000 408000000 510000000 612000000 714000000 816000000 918000000")
    for core in range(8):
        tree.write(f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq", TOP)
    tree.add_nvpmodel({name: (values[0], _files(*values[1:])) for name, values in MODES.items()})
    tree.set_mode(mode)
    tree.write("sys/bus/i2c/devices/1-0040/name", "ina3221")
    for rail, index in RAILS.items():
        tree.write(f"{HWMON}/in{index}_label", rail)
        tree.write(f"{HWMON}/in{index}_input", round(VOLTS * 1000))
    set_watts(tree, VDD_IN=5.2, VDD_CPU_GPU_CV=0.9, VDD_SOC=1.5)
    for index, (zone, temperature) in enumerate(ZONES.items()):
        tree.write(f"sys/class/thermal/thermal_zone{index}/type", zone)
        tree.write(f"sys/class/thermal/thermal_zone{index}/temp", temperature)
    tree.unread = {"sys/class/thermal/cooling_device0/cur_state"}  # a fan says nothing of throttling
    for index, device in enumerate(("pwm-fan", "thermal-cpufreq-0", "devfreq-17000000.gpu")):
        tree.write(f"sys/class/thermal/cooling_device{index}/type", device)
        tree.write(f"sys/class/thermal/cooling_device{index}/cur_state", 0)
    tree.write("sys/class/hwmon/hwmon1/oc1_event_cnt", 0)
    # The sum of the shunts is no rail.
    (tree.root / HWMON / "in7_label").write_text("sum of shunt voltages\n")
    (tree.root / HWMON / "in7_input").write_text("40\n")
    return tree


def set_watts(tree: Tree, **watts: float) -> None:
    """Let rails draw so much from now on [W]."""
    for rail, value in watts.items():
        tree.write(f"{HWMON}/curr{RAILS[rail]}_input", round(value / VOLTS * 1000))


def _files(cores: int, cpu: int, gpu: int) -> dict[str, object]:
    limits = {f"{CPU}/cpu{core}/cpufreq/scaling_max_freq": TOP if cpu < 0 else cpu for core in range(8)}
    return {f"{CPU}/online": f"0-{cores - 1}", f"{GPU}/max_freq": GPU_TOP if gpu < 0 else gpu, **limits}
