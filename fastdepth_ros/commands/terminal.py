"""Terminal of commands, on which words of anybody stand as they are: names of files, topics and sets of pictures."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.text import Text

from fastdepth_ros.errors import printable

_PARTS = re.compile(r"([\n\t])")


class Terminal(Console):
    """A console of rich's that knows no markup, and shows what would control the terminal as Python writes it.

    Colours are rich's own Text. Arguments are those of Console.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of a string, as Console makes it: of what is printed, and of each cell of a table."""
        return super().render_str("".join(map(_shown, _PARTS.split(text))), **options)


def _shown(part: str) -> str:
    return part if part in ("\n", "\t") else printable(part)
