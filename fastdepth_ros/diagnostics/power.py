"""Statuses of budget, power and board, each at a level, with what to do about it.

    budget  WARN   the governor lowered the rate, or the age is over its budget all the same; the network takes longer
                   than its budget; this process does not get the cores or the niceness that it should have
    power   WARN   the board draws more than its budget; a rail or a battery that should be readable is not
    board   WARN   the mode in force is not the profile's; the board throttles; a file of the board cannot be read

What a machine never had is told in the values, and is no warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fastdepth_ros.diagnostics.monitor import Report
from fastdepth_ros.diagnostics.status import Status, status_of
from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power import Budget, Decision, PowerState
from fastdepth_ros.power.ages import milliseconds, of_another_clock


def budget_status(
    report: Report,
    profile: str,
    budget: Budget,
    decision: Decision,
    findings: Sequence[Finding],
    in_force: Mapping[str, str] = MappingProxyType({}),
) -> Status:
    """Whether the profile's budget of time is held.

    Args:
        report: of the node's monitor.
        profile: name of the profile in force.
        budget: what it expects.
        decision: the governor's, in force.
        findings: about cores and niceness of this process.
        in_force: more values to show: what the profile made of this process, and how soon.
    """
    infer = report.stages.get("infer")
    values = {
        "power_profile": profile,
        "age budget, p95 [ms]": _figure(budget.age_ms),
        "age p95 [ms]": milliseconds(report.age.p95).removesuffix(" ms") if report.age else "unknown",
        "network budget [ms]": _figure(budget.network_ms),
        "network p50 [ms]": _figure(infer.p50 * 1e3 if infer else None),
        "rate at most [Hz]": _figure(decision.rate or None, "that of the camera"),
        "rate out [Hz]": f"{report.rate_out:.1f}",
        "governor": decision.reason,
        **in_force,
    }
    problems = list(findings)
    if decision.lowered or decision.single or decision.insists or not decision.held:
        what = "the rate is lowered to keep the age" if decision.lowered else "the age is over its budget"
        if decision.insists and decision.held and not decision.lowered:
            what = "the node leaves less to others than its profile wants, to keep the age"
        if decision.single and decision.held and not decision.lowered:
            what = "the network runs on a single thread to keep the age"
        remedy = "Free the processor, raise threads, or allow a higher age or less niceness in the profile."
        if decision.late:
            remedy = "Look at the camera driver's delay and clock; a recording needs use_sim_time and /clock."
        problems.insert(0, Finding(Level.WARN, f"{what} ({decision.reason})", remedy))
    if infer and budget.network_ms is not None and infer.p50 * 1e3 > budget.network_ms:
        what = f"the network takes {infer.p50 * 1e3:.1f} ms, over the {budget.network_ms:g} ms of {profile}"
        problems.append(Finding(Level.WARN, what, "Look at the board's real mode and at what else runs."))
    return status_of("budget", problems, f"{profile}: {decision.reason}", values)


def power_status(state: PowerState) -> Status:
    """Power that the machine draws."""
    values = {
        "meter": state.meter,
        **{f"{rail} [W]": f"{watts:.3f}" for rail, watts in state.rails.items()},
        "whole [W]": _figure(state.watts, digits=3),
        "power budget [W]": _figure(state.budget.watts),
        "while frames are computed [W]": _figure(state.work_watts, digits=3),
        "idle [W]": _figure(state.idle_watts, digits=3),
        "over idle [W]": _figure(state.active_watts, digits=3),
        "energy of a frame [mJ]": _figure(state.frame_mj),
        "energy of a frame over idle [mJ]": _figure(state.active_frame_mj),
        **{f"{battery.name} [%]": _figure(battery.percent, digits=0) for battery in state.batteries},
        **_notes(state.about_power),
    }
    well = f"{state.watts:.2f} W" if state.watts is not None else "unknown: nothing measures the power"
    if state.frame_mj is not None:
        well += f", {state.frame_mj:.1f} mJ a frame"
    return status_of("power", _warnings(state.about_power), well, values)


def board_status(state: PowerState) -> Status:
    """State of the board, and whether it is as the profile wants."""
    board = state.board
    values = {
        "board": f"{board.model} ({board.kind})",
        "power_profile": state.profile,
        "mode wanted": " or ".join(state.wanted) or "any",
        "mode in force": f"{board.mode.name} (by {board.mode_from})" if board.mode else "unknown",
        "cores online": str(len(board.clocks.cores)),
        "processor at most [MHz]": _figure(board.clocks.cpu_hz and board.clocks.cpu_hz / 1e6, digits=0),
        "GPU at most [MHz]": _figure(board.clocks.gpu_hz and board.clocks.gpu_hz / 1e6, digits=0),
        **{f"{zone} [C]": f"{degrees:.1f}" for zone, degrees in board.temperatures.items()},
        "throttled": "; ".join(board.throttled) or "no",
        "cost of watching [% of a core]": f"{state.cost * 100:.2f}",
        **_notes(state.about_board),
    }
    well = board.model + (f" in {board.mode.name}" if board.mode else "")
    return status_of("board", _warnings(state.about_board), well, values)


def figures(report: Report) -> dict[str, float]:
    """Figures of what became of the images, as plain numbers in SI units; what is unknown is left out."""
    numbers = {"rate_in": report.rate_in, "rate_out": report.rate_out}
    if report.age and not of_another_clock(report.age.max):
        numbers |= {"age_p50": report.age.p50, "age_p95": report.age.p95, "age_max": report.age.max}
    for stage, spread in report.stages.items():
        numbers |= {f"{stage}_p50": spread.p50, f"{stage}_p95": spread.p95, f"{stage}_max": spread.max}
    return numbers | {f"dropped_{cause.name.lower()}": float(total) for cause, total in report.dropped.items()}


def performance(report: Report, state: PowerState, decision: Decision, took: float | None = None) -> dict[str, float]:
    """Figures of the statuses as plain numbers in SI units, for plotting; what is unknown is left out."""
    numbers: dict[str, float | None] = {
        **figures(report),
        "rate_limit": decision.rate or None,
        "profile_took": took,
        "watts": state.watts,
        "watts_work": state.work_watts,
        "watts_idle": state.idle_watts,
        "frame_joules": _scaled(state.frame_mj, 1e-3),
        "frame_joules_over_idle": _scaled(state.active_frame_mj, 1e-3),
        **{f"watts_{rail}": watts for rail, watts in state.rails.items()},
        **{f"celsius_{zone}": degrees for zone, degrees in state.board.temperatures.items()},
    }
    return {name: float(value) for name, value in numbers.items() if value is not None}


def _warnings(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.WARN]


def _notes(findings: Sequence[Finding]) -> dict[str, str]:
    notes = [str(finding) for finding in findings if finding.level is Level.NOTE]
    return {f"note {number}": note for number, note in enumerate(notes, 1)}


def _figure(value: float | None, otherwise: str = "unknown", digits: int = 1) -> str:
    return otherwise if value is None else f"{value:.{digits}f}"


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
