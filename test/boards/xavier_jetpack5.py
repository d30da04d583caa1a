"""A made-up Jetson AGX Xavier with JetPack 5: two INA3221 through hwmon, none of whose rails feeds the whole module.

Modes and addresses of the monitors are those of NVIDIA's developer guide and of the module's design guide (DG-09840).
"""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree, configuration

CPU = "sys/devices/system/cpu"
GPU = "sys/class/devfreq/17000000.gv11b"
DEVICES = "sys/bus/i2c/devices"
MONITORS = {
    f"{DEVICES}/1-0040/hwmon/hwmon4": ("GPU", "CPU", "SOC"),
    f"{DEVICES}/1-0041/hwmon/hwmon5": ("CV", "VDDRQ", "SYS5V"),
}
RAILS = {rail: (folder, index) for folder, rails in MONITORS.items() for index, rail in enumerate(rails, 1)}
VOLTS = 19.0
CLUSTERS = tuple(f"CPU_DENVER_{cluster}" for cluster in range(4))
# name: number, cores, kHz, GPU Hz; the clocks are the steps nearest to the guide's figures, -1 is no limit
MODES = {
    "MAXN": (0, 8, -1, -1),
    "MODE_10W": (1, 2, 1190400, 522750000),
    "MODE_15W": (2, 4, 1190400, 675750000),
    "MODE_30W_ALL": (3, 8, 1190400, 905250000),
    "MODE_30W_6CORE": (4, 6, 1446400, 905250000),
    "MODE_30W_4CORE": (5, 4, 1779200, 905250000),
    "MODE_30W_2CORE": (6, 2, 2112000, 905250000),
}
TOP, GPU_TOP = 2265600, 1377000000
ZONES = {"CPU-therm": 41500, "GPU-therm": 40500, "AUX-therm": 40000, "AO-therm": 40500, "Tdiode_tegra": 38750}


def build(root: Path, mode: str = "MODE_30W_ALL") -> Tree:
    """The board in a mode."""
    tree = Tree(root)
    tree.write("sys/firmware/devicetree/base/model", b"Jetson-AGX\0")
    tree.write("sys/firmware/devicetree/base/compatible", b"nvidia,p2822-0000+p2888-0001\0nvidia,tegra194\0")
    table = {
        name: (number, {core: int(core < cores) for core in range(8)}, dict.fromkeys(CLUSTERS, cpu), gpu)
        for name, (number, cores, cpu, gpu) in MODES.items()
    }
    tree.write("etc/nvpmodel.conf", configuration(table))
    steps = sorted({gpu for *_, gpu in MODES.values() if gpu > 0} | {114750000, 1198500000, GPU_TOP})
    tree.write(f"{GPU}/available_frequencies", " ".join(map(str, steps)))
    for core in range(8):
        tree.write(f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq", TOP)
    tree.add_nvpmodel({name: (values[0], _files(*values[1:])) for name, values in MODES.items()})
    tree.set_mode(mode)
    for folder, rails in MONITORS.items():
        tree.write(f"{folder.split('/hwmon')[0]}/name", "ina3221")
        for index, rail in enumerate(rails, 1):
            tree.write(f"{folder}/in{index}_label", rail)
            tree.write(f"{folder}/in{index}_input", round(VOLTS * 1000))
    set_watts(tree, GPU=0.95, CPU=1.14, SOC=1.9, CV=0.19, VDDRQ=0.57, SYS5V=1.9)
    for index, (zone, temperature) in enumerate(ZONES.items()):
        tree.write(f"sys/class/thermal/thermal_zone{index}/type", zone)
        tree.write(f"sys/class/thermal/thermal_zone{index}/temp", temperature)
    tree.unread = {"sys/class/thermal/cooling_device0/cur_state"}  # a fan says nothing of throttling
    for index, device in enumerate(("pwm-fan", "thermal-cpufreq-0", "17000000.gv11b-balanced")):
        tree.write(f"sys/class/thermal/cooling_device{index}/type", device)
        tree.write(f"sys/class/thermal/cooling_device{index}/cur_state", 0)
    return tree


def set_watts(tree: Tree, **watts: float) -> None:
    """Let rails draw so much from now on [W]."""
    for rail, value in watts.items():
        folder, index = RAILS[rail]
        tree.write(f"{folder}/curr{index}_input", round(value / VOLTS * 1000))


def _files(cores: int, cpu: int, gpu: int) -> dict[str, object]:
    limits = {f"{CPU}/cpu{core}/cpufreq/scaling_max_freq": TOP if cpu < 0 else cpu for core in range(8)}
    return {f"{CPU}/online": f"0-{cores - 1}", f"{GPU}/max_freq": GPU_TOP if gpu < 0 else gpu, **limits}
