"""The table at the end of a soak, and whether it is good."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hostile.soak.readings import SETTLED, Ledger, Readings

SLOPE = 1.0
"""Growth of memory that is allowed once it stands still, beyond a plain node's [MB/h]."""

CYCLED = 10.0
"""Memory that all cycles of cleanup and configure together may cost [MB]."""

IN_FLIGHT = 2
"""Images of a phase that are between camera and report at its ends."""


@dataclass
class Outcome:
    """Outcome of a soak. ``cycles``: memory before and after them [MB], their number; ``status``: of the node."""

    minutes: float
    readings: Readings
    ledger: Ledger
    cycles: tuple[float, float, int]
    kills: dict[str, int]
    refused: list[str]
    status: int | None
    problem: str = ""


def faults(outcome: Outcome) -> list[str]:
    """Faults that were found."""
    readings, ledger = outcome.readings, outcome.ledger
    found = [outcome.problem] if outcome.problem else []
    if outcome.status != 0:
        found.append(f"the node ended with status {outcome.status}")
    settled = readings.settled()
    # Each participant that comes and goes costs any node tens of kilobytes, which Fast DDS keeps.
    grown, plain = readings.slope(), max(0.0, readings.slope("plain"))
    if outcome.minutes * 60 > 2 * SETTLED and grown > plain + SLOPE:
        found.append(f"memory grows by {grown:.1f} MB/h, that of a plain node by {plain:.1f}")
    for what in ("files", "threads"):
        numbers = [getattr(sample, what) for sample in settled]
        if numbers and min(numbers[-5:]) > max(numbers[: max(5, len(numbers) // 4)]):
            found.append(f"{what} grow from {numbers[0]} to {numbers[-1]}")
    before, after, count = outcome.cycles
    if count and after - before > CYCLED:
        found.append(f"{count} cycles cost {after - before:.1f} MB")
    allowed = IN_FLIGHT * max(1, ledger.phases)
    if ledger.unexplained > allowed or abs(ledger.unaccounted) > allowed:
        found.append(
            f"{ledger.unexplained} images are in no report, {ledger.unaccounted} were taken and not accounted for"
        )
    if not ledger.answers:
        found.append("no image was answered")
    return found


def markdown(outcome: Outcome, folder: Path) -> str:
    """The table, and the verdict."""
    readings, ledger = outcome.readings, outcome.ledger
    if not readings.samples:
        return f"Verdict: not good: {outcome.problem}.\n"
    first, last, settled = readings.samples[0], readings.samples[-1], readings.settled()
    before, after, count = outcome.cycles
    read = [json.loads(file.read_text()) for file in folder.glob("reader-*.json")]
    judged = "" if outcome.minutes * 60 > 2 * SETTLED else " (too short to be judged)"
    rows = [
        ("minutes", f"{outcome.minutes:g}"),
        (
            "resident memory at start, settled, at the end [MB]",
            f"{first.rss:.1f}, {settled[0].rss:.1f}, {last.rss:.1f}",
        ),
        ("its slope between comparable moments since it settled [MB/h]", f"{readings.slope('rss'):.2f}"),
        ("of this, memory of no file [MB]", f"{first.own:.1f}, {settled[0].own:.1f}, {last.own:.1f}"),
        ("its slope between comparable moments [MB/h]", f"{readings.slope():.2f}{judged}"),
        ("the same of a plain rclpy node, which reads beside it", f"{readings.slope('plain'):.2f}{judged}"),
        ("open files, threads at start and end", f"{first.files} to {last.files}, {first.threads} to {last.threads}"),
        ("age p50 / p95 / max [ms], last report", last.age or "none"),
        ("images published while the node was active", f"{ledger.published:,} in {ledger.phases} phases"),
        ("of these in the node's reports", f"{ledger.counted:,}"),
        ("published in the first second of a publisher", f"{ledger.at_starts:,}"),
        ("in no report", f"{ledger.unexplained}"),
        ("taken and not accounted for", f"{ledger.unaccounted}"),
        ("answers, lost on the way, unreadable", f"{ledger.answers:,}, {ledger.lost:,}, {ledger.rejected:,}"),
        ("depth heard by the readers", ", ".join(f"{each['depth']:,}" for each in read) or "none"),
        ("killed and started again", ", ".join(f"{name} {times}" for name, times in outcome.kills.items()) or "nobody"),
        ("parameters refused", f"{len(outcome.refused)}" + (f" ({outcome.refused[0]})" if outcome.refused else "")),
        (f"{count} cycles of cleanup and configure [MB]", f"{before:.1f} to {after:.1f}"),
        ("exit status", f"{outcome.status}"),
    ]
    found = faults(outcome)
    verdict = "good" if not found else "not good: " + "; ".join(found)
    lines = [
        "| what | measured |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        f"Verdict: {verdict}.",
    ]
    return "\n".join(lines) + "\n"
