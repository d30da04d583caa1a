"""Fates of all cases, as a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

BAD = ("exception", "fooled", "crash", "slow", "hang", "large")
KINDS = {"message": "messages", "file": "files", "setting": "settings"}


@dataclass
class Row:
    """Row of one target: verdict -> cases, the slowest [s], the largest [bytes], the time spent [s]."""

    kind: str
    verdicts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    largest: int = 0
    spent: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.verdicts.values())

    @property
    def refused(self) -> str:
        """By class of error."""
        found = {v.removeprefix("refused: "): n for v, n in self.verdicts.items() if v.startswith("refused: ")}
        return ", ".join(f"{name} {count:,}" for name, count in sorted(found.items(), key=lambda each: -each[1])) or "0"


COLUMNS = (
    "target", "cases", "per s", "accepted", "refused", "foreign exceptions", "fooled", "crashes", "over 1 s", "hangs",
    "over 500 MB",
    "slowest [s]", "peak [MB]",
)  # fmt: skip


def markdown(rows: dict[str, Row]) -> str:
    """The table, and a line that sums it up."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for name, row in rows.items():
        v = row.verdicts
        cells = (
            name, f"{row.cases:,}", f"{row.cases / row.spent:,.0f}" if row.spent else "", f"{v['accepted']:,}",
            row.refused, v["exception"],
            v["fooled"], v["crash"], v["slow"], v["hang"], v["large"], f"{row.slowest:.2f}", f"{row.largest / 1e6:.0f}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    sums = Counter[str]()
    for row in rows.values():
        sums[KINDS[row.kind]] += row.cases
    bad = sum(row.verdicts[verdict] for row in rows.values() for verdict in BAD)
    counted = ", ".join(f"{count:,} {kind}" for kind, count in sums.items())
    return "\n".join([*lines, "", f"{counted}; {bad:,} of them did what they must not."]) + "\n"
