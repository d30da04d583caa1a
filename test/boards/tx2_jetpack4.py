"""A made-up Jetson TX2 with JetPack 4.6: INA3221 through iio, GPU gp10b, nvpmodel with its five modes."""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree, configuration

CPU = "sys/devices/system/cpu"
GPU = "sys/class/devfreq/17000000.gp10b"
RAILS = {
    "VDD_SYS_GPU": "sys/bus/i2c/devices/0-0040/iio:device0/in_power0_input",
    "VDD_SYS_SOC": "sys/bus/i2c/devices/0-0040/iio:device0/in_power1_input",
    "VDD_4V0_WIFI": "sys/bus/i2c/devices/0-0040/iio:device0/in_power2_input",
    "VDD_IN": "sys/bus/i2c/devices/0-0041/iio:device1/in_power0_input",
    "VDD_SYS_CPU": "sys/bus/i2c/devices/0-0041/iio:device1/in_power1_input",
    "VDD_SYS_DDR": "sys/bus/i2c/devices/0-0041/iio:device1/in_power2_input",
}
ALL, A57 = "0-5", "0,3-5"
# name: number, cores, A57 kHz, Denver kHz, GPU Hz; the clocks are the steps that the board really has
MODES = {
    "MAXN": (0, ALL, 2035200, 2035200, 1300500000),
    "MAXQ": (1, A57, 1190400, 2035200, 854250000),
    "MAXP_CORE_ALL": (2, ALL, 1382400, 1382400, 1122000000),
    "MAXP_CORE_ARM": (3, A57, 1996800, 2035200, 1122000000),
    "MAXP_CORE_DENVER": (4, "0-1", 1996800, 1996800, 1122000000),
}
ZONES = {"BCPU-therm": 41500, "MCPU-therm": 41500, "GPU-therm": 39000, "Tboard_tegra": 36000, "thermal-fan-est": 41100}
COOLING = {"pwm-fan": 120, "gpu-balanced": 0, "cpu-balanced": 0}


def build(root: Path, mode: str = "MAXP_CORE_ARM") -> Tree:
    """The board in a mode; the factory's own is MAXP_CORE_ARM."""
    tree = Tree(root)
    tree.write("sys/firmware/devicetree/base/model", b"quill\0")
    tree.write(
        "sys/firmware/devicetree/base/compatible", b"nvidia,p2597-0000+p3310-1000\0nvidia,quill\0nvidia,tegra186\0"
    )
    tree.write("etc/nvpmodel.conf", configuration({name: _configured(*values) for name, values in MODES.items()}))
    tree.write(f"{GPU}/available_frequencies", "114750000 420750000 854250000 1122000000 1300500000")
    for core in range(6):
        tree.write(f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq", 2035200)
    tree.add_nvpmodel({name: (values[0], _files(*values[1:])) for name, values in MODES.items()})
    tree.set_mode(mode)
    for address in ("0040", "0041"):
        tree.write(f"sys/bus/i2c/devices/0-{address}/name", "ina3221x")
    for rail, power in RAILS.items():
        tree.write(power.replace("in_power", "rail_name_").replace("_input", ""), rail)
    set_watts(tree, VDD_IN=3.4, VDD_SYS_GPU=0.15, VDD_SYS_SOC=0.5, VDD_4V0_WIFI=0.02, VDD_SYS_CPU=0.4, VDD_SYS_DDR=0.9)
    for index, (zone, temperature) in enumerate(ZONES.items()):
        tree.write(f"sys/class/thermal/thermal_zone{index}/type", zone)
        tree.write(f"sys/class/thermal/thermal_zone{index}/temp", temperature)
    # A fan says nothing of throttling, and the limit of a Denver core, which is off, nothing of the mode.
    limits = {f"{CPU}/cpu{core}/cpufreq/{kind}_max_freq" for core in (1, 2) for kind in ("scaling", "cpuinfo")}
    tree.unread = {"sys/class/thermal/cooling_device0/cur_state", *limits}
    for index, (device, state) in enumerate(COOLING.items()):
        tree.write(f"sys/class/thermal/cooling_device{index}/type", device)
        tree.write(f"sys/class/thermal/cooling_device{index}/cur_state", state)
    return tree


def set_watts(tree: Tree, **watts: float) -> None:
    """Let rails draw so much from now on [W]."""
    for rail, value in watts.items():
        tree.write(RAILS[rail], round(value * 1000))


def _files(cores: str, a57: int, denver: int, gpu: int) -> dict[str, object]:
    limits = {f"{CPU}/cpu{core}/cpufreq/scaling_max_freq": denver if core in (1, 2) else a57 for core in range(6)}
    return {f"{CPU}/online": cores, f"{GPU}/max_freq": gpu, **limits}


def _configured(number: int, cores: str, a57: int, denver: int, gpu: int) -> tuple[int, dict, dict, int]:
    on = {"0-5": range(6), "0,3-5": (0, 3, 4, 5), "0-1": (0, 1)}[cores]
    clusters = {"CPU_A57": a57} | ({"CPU_DENVER_2": denver} if 1 in on else {})
    return number, {core: int(core in on) for core in range(6)}, clusters, gpu
