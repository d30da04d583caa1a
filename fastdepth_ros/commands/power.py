"""``fastdepth power``: the board, its mode, its rails, the profile, and the budget, as they are now."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from fastdepth_ros.commands.numbers import seconds
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import LONGEST, Finding, brief
from fastdepth_ros.power import PowerMonitor, PowerState, load_profiles
from fastdepth_ros.power.files import as_list
from fastdepth_ros.power.nvpmodel import parse_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--profile", default="max-n", help="power profile to hold the board against (default: max-n)")
    parser.add_argument("--profiles", metavar="FILE", help="the robot's own profiles (default: config/power.yaml)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="what the network runs on")
    parser.add_argument("--root", default="/", help="where sys and etc are (default: /)")
    parser.add_argument("--nvpmodel", default="nvpmodel", metavar="COMMAND", help="how to call nvpmodel")
    parser.add_argument("--seconds", type=seconds, default=1.0, help="how long to measure (default: 1)")
    parser.add_argument("--watch", action="store_true", help="again and again, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Watch the machine for a while, and show what was seen.

    Returns:
        0, or 1 where something should be done about what was seen.

    Raises:
        SettingError: the profile or the command is none.
    """
    profiles = load_profiles(args.profiles)
    command = parse_command(args.nvpmodel)
    monitor = PowerMonitor(profiles.find(args.profile), args.root, command, device=args.device)
    monitor.start()
    try:
        monitor.wait()
        while True:
            time.sleep(args.seconds)
            state = monitor.snapshot(args.seconds)
            if args.json:
                json.dump(as_json(state, monitor), sys.stdout, indent=2)
                sys.stdout.write("\n")
            else:
                show(Terminal(), state, monitor, list(profiles))
            if not args.watch:
                return 1 if state.warnings else 0
    finally:
        monitor.stop()


def as_json(state: PowerState, monitor: PowerMonitor) -> dict[str, Any]:
    """The state as plain data: SI units in the names, null for what is unknown."""
    data = asdict(state)
    board, operation = data.pop("board"), monitor.operation
    mode = board.pop("mode")
    modes = board.pop("modes")
    board.pop("findings")
    return {
        "board": {**board, "mode": mode and mode["name"], "modes": {entry["name"]: entry["id"] for entry in modes}},
        "profile": {
            "name": data.pop("profile"),
            "modes": data.pop("wanted"),
            "threads": operation.threads,
            "cores": operation.cores,
            "max_rate": operation.max_rate,
            "budget": data.pop("budget"),
        },
        "findings": [_finding(finding) for finding in state.findings],
        **{name: value for name, value in data.items() if name not in ("about_board", "about_power")},
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"level": finding.level.word, "cause": finding.cause, "remedy": finding.remedy}


def show(console: Terminal, state: PowerState, monitor: PowerMonitor, profiles: list[str]) -> None:
    """The state as tables."""
    board, operation, budget = state.board, monitor.operation, state.budget
    clocks = board.clocks
    mode = f"{board.mode.name} (by {board.mode_from})" if board.mode else "unknown" if board.modes else "none"
    right = not state.wanted or (board.mode is not None and board.mode.name in state.wanted)
    table = Table("board", board.model, title=f"{board.kind}", title_justify="left")
    wanted = "" if right else f", wanted {' or '.join(state.wanted)}"
    table.add_row("mode", Text(brief(f"{mode}{wanted}"), "green" if right else "yellow"))
    table.add_row("cores online", as_list(clocks.cores) or "unknown")
    table.add_row("processor", _gigahertz(clocks.cpu_hz))
    table.add_row("GPU", _gigahertz(clocks.gpu_hz))
    table.add_row(
        "temperatures", ", ".join(f"{name} {t:.1f} °C" for name, t in board.temperatures.items()) or "unknown"
    )
    table.add_row("throttled", Text(brief("; ".join(board.throttled)), "red") if board.throttled else "no")
    for battery in state.batteries:
        table.add_row(battery.name, f"{_figure(battery.percent, '%', 0)}, {battery.status}")
    console.print(table)

    rails = Table("rail", "now [W]", title=f"meter: {state.meter}", title_justify="left")
    for rail, watts in state.rails.items():
        rails.add_row(rail, f"{watts:.2f}")
    rails.add_row("whole", _figure(state.watts, "", 2), end_section=True)
    console.print(rails)

    plan = Table("profile", state.profile, title=f"one of {', '.join(profiles)}", title_justify="left")
    plan.add_row("threads", str(operation.threads or "one on each physical core"))
    plan.add_row("cores", as_list(operation.cores) if operation.cores else "all")
    plan.add_row("rate at most", _figure(operation.max_rate or None, "Hz", 0, "that of the camera"))
    plan.add_row("age, p95", _figure(budget.age_ms, "ms", 0, "no budget"))
    plan.add_row("network", _figure(budget.network_ms, "ms", 1, "no budget"))
    plan.add_row("power", _figure(budget.watts, "W", 1, "no budget"))
    console.print(plan)
    for finding in state.findings:
        words = brief(finding, 4 * LONGEST)
        console.print(Text.assemble((finding.level.word, finding.level.colour), f"  {words}"), soft_wrap=True)


def _figure(value: float | None, unit: str, digits: int, otherwise: str = "unknown") -> str:
    return otherwise if value is None else f"{value:.{digits}f} {unit}".strip()


def _gigahertz(hertz: float | None) -> str:
    return "unknown" if hertz is None else f"at most {hertz / 1e9:.2f} GHz"
