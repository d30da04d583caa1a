"""Words of the node about itself, as a table and as problems, in HTML: every word from outside is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level

SILENT = 5.0
"""Time without diagnostics from which on the page says so [s]."""

Rows = list[tuple[str, str]]


def rows_of(statuses: Mapping[str, Status], numbers: Mapping[str, float], age: float | None, shown: float) -> Rows:
    """Name and value of what is worth seeing at a glance.

    Args:
        statuses: part of the node -> what it says of it on /diagnostics.
        numbers: of ``~/performance``, in SI units.
        age: of the depth shown, when it was heard here [s]; None before.
        shown: frames a second that this page shows.
    """

    def said(part: str, key: str) -> str:
        status = statuses.get(part)
        return status.values.get(key, "") if status else ""

    rows = [
        ("state", said("node", "state")),
        ("model", f"{said('inference', 'model')}, {said('inference', 'precision')}".strip(", ")),
        ("images in", _unit(said("input", "rate in [Hz]"), "Hz")),
        ("answers out", _unit(said("outputs", "rate out [Hz]"), "Hz")),
        ("age p50 / p95 / max", _unit(said("outputs", "age p50/p95/max [ms]"), "ms")),
        ("network p50 / p95 / max", _unit(said("inference", "infer p50/p95/max [ms]"), "ms")),
        ("age when it came here", f"{age * 1e3:.0f} ms" if age is not None else ""),
        ("shown here", f"{shown:.1f} Hz"),
        *_drops(statuses),
        ("profile", said("budget", "power_profile")),
        ("power", f"{numbers['watts']:.2f} W" if "watts" in numbers else "no meter here"),
        ("energy of a frame", f"{numbers['frame_joules'] * 1e3:.1f} mJ" if "frame_joules" in numbers else ""),
        ("anchoring", statuses["anchoring"].message if "anchoring" in statuses else ""),
    ]
    return [(name, value) for name, value in rows if value]


def problems_of(statuses: Mapping[str, Status], silence: float, complaint: str = "") -> list[str]:
    """Sentences on what is wrong, the worst first.

    Args:
        statuses: as for :func:`rows_of`.
        silence: time since the last diagnostics [s].
        complaint: why this page does not show all.
    """
    found = sorted(statuses.values(), key=lambda status: -status.level.byte)
    told = [f"{status.about}: {status.message}" for status in found if status.level in (Level.WARN, Level.ERROR)]
    if silence > SILENT:
        told.insert(0, f"the node has said nothing for {silence:.0f} s: it has ended, or cannot be reached")
    return [*told, *([complaint] if complaint else [])]


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Rows as an HTML table."""
    cells = "".join(
        f"<tr><td style='opacity:.65;padding:1px 12px 1px 0;white-space:nowrap;vertical-align:top'>{html.escape(name)}"
        f"</td><td style='overflow-wrap:anywhere'>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table style='font-size:.8em;line-height:1.35;margin:0 .9em .6em'>{cells}</table>"


def listed(problems: Iterable[str]) -> str:
    """Problems as an HTML list; a line that says so where there are none."""
    items = "".join(f"<li style='margin:.25em 0'>{html.escape(problem)}</li>" for problem in problems)
    style = "font-size:.8em;line-height:1.35;margin:0 .9em .6em;overflow-wrap:anywhere"
    if not items:
        return f"<p style='{style};opacity:.65'>Nothing is wrong.</p>"
    return f"<ul style='{style};padding-left:1.2em'>{items}</ul>"


def _drops(statuses: Mapping[str, Status]) -> Rows:
    """Images without an answer, by cause; causes that never were are left out."""
    start = "dropped: "
    values = statuses["inference"].values if "inference" in statuses else {}
    found = [(key.removeprefix(start), count) for key, count in values.items() if key.startswith(start)]
    lost = statuses["input"].values.get("lost on the way", "0") if "input" in statuses else "0"
    words = [f"{count} {cause}" for cause, count in [("lost on the way", lost), *found] if count != "0"]
    return [("dropped", "; ".join(words) or "none")] if statuses else []


def _unit(value: str, unit: str) -> str:
    return f"{value} {unit}" if value and value[0] in "-0123456789" else value
