"""Writes config/depth.yaml and docs/parameters.md from the table of parameters and the launch file.

    python -m tools.parameter_tables            write both
    python -m tools.parameter_tables --check    say what is out of date, and change nothing

A test compares them, so that no number of the documents can drift from the code.
"""

from __future__ import annotations

import argparse
import ast
import math
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastdepth_ros.parameters import TABLE, Change, Spec

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = ROOT / "launch" / "depth.launch.py"
WIDTH = 120

YAML_HEAD = """\
# All parameters of the node with their defaults, written by `python -m tools.parameter_tables`.
# `ros2 param describe /fastdepth NAME` says the same. Those marked (live) change while the node runs:
# ros2 param set /fastdepth max_rate 10
/**:
  ros__parameters:
"""
YAML_TAIL = """\
    # QoS of each topic can be overridden under its full name, for example for a camera in /camera:
    # qos_overrides./camera/image_raw.subscription.reliability: reliable
    # qos_overrides./depth/points.publisher.reliability: best_effort
"""

PAGE = """\
# Parameters and launch arguments

Written by `python -m tools.parameter_tables` from `fastdepth_ros/parameters/table.py` and `launch/depth.launch.py`;
`make test` compares. `ros2 param describe /fastdepth NAME` says the same of a running node.

## Parameters of the node

`ros2 param set /fastdepth NAME VALUE` changes those that change at any time. Others say in their answer which state of
the node's lifecycle they need. Anything that is not allowed is refused, and the answer names what is.

{parameters}

With several [cameras](cameras.md) each may have a value of its own, as `front.mask`, of all but these: {of_the_node}.

The quality of service of each topic is a parameter, too, under the topic's full name:
`qos_overrides./camera/image_raw.subscription.reliability` and so on.

## Arguments of depth.launch.py

`ros2 launch fastdepth_ros depth.launch.py NAME:=VALUE`. An argument that is left empty leaves the parameter as
`params_file` has it.

{arguments}
"""


def depth_yaml() -> str:
    """The whole of config/depth.yaml."""
    return YAML_HEAD + "\n".join(map(_yaml_entry, TABLE.values())) + "\n" + YAML_TAIL


def parameters_page() -> str:
    """The whole of docs/parameters.md."""
    parameters = _table(("parameter", "default", "allowed", "changes", "meaning"), map(_row, TABLE.values()))
    arguments = _table(("argument", "default", "allowed", "meaning"), launch_arguments())
    of_the_node = ", ".join(f"`{name}`" for name, spec in TABLE.items() if not spec.is_of_cameras)
    return PAGE.format(parameters=parameters, of_the_node=of_the_node, arguments=arguments)


FILES = {ROOT / "config" / "depth.yaml": depth_yaml, ROOT / "docs" / "parameters.md": parameters_page}


def _yaml_entry(spec: Spec) -> str:
    changes = "(live)" if spec.change is Change.LIVE else f"Changes {spec.change.value}."
    unit = f" [{spec.unit}]" if spec.unit else ""
    limits = "" if _any(spec) else f" Allowed: {allowed(spec)}{unit}."
    said, indent = f"{spec.description}{limits} {changes}", "    # "
    words = textwrap.fill(said, WIDTH, initial_indent=indent, subsequent_indent=indent)
    digits = isinstance(spec.default, str) and spec.default.isdigit()  # a word, for YAML as well
    default = f'"{spec.default}"' if digits else _plain(spec.default)
    return f"{words}\n    {spec.name}: {default}\n"


def _row(spec: Spec) -> tuple[str, ...]:
    unit = f" [{spec.unit}]" if spec.unit else ""
    limits = "any word" if _any(spec) and isinstance(spec.default, str) else f"{allowed(spec)}{unit}"
    meaning = re.sub(r"docs/(\w+\.md)((?:#[\w-]+)?)", _link, spec.description)
    return f"`{spec.name}`", f"`{_plain(spec.default)}`", limits, spec.change.value, meaning


def _link(page: re.Match[str]) -> str:
    there = (ROOT / "docs" / page[1]).is_file()
    return f"[{page[1]}]({page[1]}{page[2]})" if there else page[0]


def _any(spec: Spec) -> bool:
    """Whether the type says all that is to be said."""
    return isinstance(spec.default, bool) or (not spec.choices and spec.low == -math.inf)


def allowed(spec: Spec) -> str:
    """Allowed values, in few words."""
    if isinstance(spec.default, bool):
        return "true, false"
    return ", ".join(spec.choices) if spec.choices else f"{spec.low:g} to {spec.high:g}"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def launch_arguments() -> Iterator[tuple[str, ...]]:
    """Name, default, choices and meaning of each launch argument, read from the file without running it."""
    for node in ast.walk(ast.parse(LAUNCH.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "DeclareLaunchArgument":
            said = {str(keyword.arg): keyword.value for keyword in node.keywords}
            choices = ", ".join(word for word in _value(said.get("choices"), []) if word) or "any word"
            default = _value(said.get("default_value"), "")
            yield (
                f"`{_value(node.args[0], '')}`",
                f"`{default}`" if default else "",
                choices,
                _value(said["description"], ""),
            )


def _value(node: ast.expr | None, otherwise: Any) -> Any:
    """A literal's value; of a path that is put together, its parts after the folder of the configuration."""
    if node is None:
        return otherwise
    try:
        return ast.literal_eval(node)
    except ValueError:
        return "/".join(["config", *(n.value for n in ast.walk(node) if isinstance(n, ast.Constant))])


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    """Words as a cell of a table, in which no sign means anything to Markdown or HTML."""
    return cell.replace("|", "\\|").replace("<", "&lt;")


def main(argv: list[str]) -> int:
    """Write the files, or name those that differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where a file is out of date")
    check = parser.parse_args(argv).check
    stale = [path for path, text in FILES.items() if not path.is_file() or path.read_text(encoding="utf-8") != text()]
    for path in stale:
        if not check:
            path.write_text(FILES[path](), encoding="utf-8")
        print(f"{path.relative_to(ROOT)} {'is out of date' if check else 'written'}")  # noqa: T201
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
