"""Words of strangers stand on the terminal as they are: they neither break a table, nor colour it, nor clear it."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import fastdepth_ros
from fastdepth_ros.commands.terminal import Terminal

PACKAGE = Path(fastdepth_ros.__file__).parent
WORDS = ["kitchen [/x]", "[red]kitchen", "kitchen :smile:", "[link=http://x]kitchen[/link]"]


def said(word: str) -> str:
    terminal = Terminal(file=io.StringIO(), width=120)
    table = Table("name", title=word)
    table.add_row(word)
    table.add_row(Text("good", "green"))
    terminal.print(table)
    terminal.print(word, soft_wrap=True)
    return str(terminal.file.getvalue())


@pytest.mark.parametrize("word", WORDS)
def test_brackets_and_colons_are_shown(word):
    assert said(word).count(word) == 3


def test_what_would_control_the_terminal_is_shown_as_python_writes_it():
    shown = said("a\x1b[2Jb\u202ec\x07")
    assert shown.count("a\\x1b[2Jb\\u202ec\\x07") == 3
    assert "\x1b" not in shown


def test_lines_and_tabs_stay():
    terminal = Terminal(file=io.StringIO(), width=40)
    terminal.print("one\ntwo\tthree")
    assert terminal.file.getvalue().split() == ["one", "two", "three"]


def test_no_command_makes_a_console_that_reads_markup():
    for file in sorted((PACKAGE / "commands").glob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
        assert "Console" not in names or file.name == "terminal.py", file
