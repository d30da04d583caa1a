"""The status of a part of the node: a finding, with numbers and words beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastdepth_ros.errors import Finding, Level


@dataclass(frozen=True)
class Status(Finding):
    """A finding about a part of the node, as a diagnostic_msgs/DiagnosticStatus carries it.

    Attributes:
        values: numbers and words, in the order in which they are shown.
    """

    values: Mapping[str, str] = field(default_factory=dict, hash=False, kw_only=True)

    @property
    def message(self) -> str:
        """Cause and remedy."""
        return str(self)


def status_of(part: str, problems: Sequence[Finding], well: str, values: Mapping[str, str]) -> Status:
    """The status of a part with any number of problems: the message names the first, the values all of them.

    Args:
        part: of the node.
        problems: the most important first.
        well: what is to be said where there is none.
        values: numbers and words to be shown.
    """
    if not problems:
        return Status(Level.OK, well, about=part, values=values)
    more = f"(and {len(problems) - 1} more, see below)" if problems[1:] else ""
    numbered = {f"problem {number}": str(problem) for number, problem in enumerate(problems, 1)}
    first = f"{problems[0]} {more}".rstrip()
    return Status(Level.WARN, first, about=part, values={**values, **numbered})
