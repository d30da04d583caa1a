"""The command line as a whole."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fastdepth_ros.cli import COMMANDS, main, module_of


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"fastdepth {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_module_with_run(command):
    # Read and not imported: torch need not be here.
    source = Path(importlib.util.find_spec(module_of(command)).origin).read_text(encoding="utf-8")
    functions = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert {"add_arguments", "run"} <= functions


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dance"])
    assert stop.value.code == 2
    assert "dance" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "power --seconds nan",
        "power --seconds -1",
        "calibrate --wait nan",
        "view --wait nan",
        "view --wait 1e300",
        "play bag --wait inf",
        "play bag --rate nan",
        "doctor --wait -1",
        "infer a.png --out b --anchors-at inf",
        "infer a.png --out b --max-depth nan",
        "eval bundle data --last nan",
        "prune fastdepth-pruned --budget nan",
    ],
)
def test_a_number_that_is_none_is_told_before_anything_is_done(line, capsys):
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "is no number" in said or "is no time" in said


@pytest.mark.parametrize(
    ("package", "line", "remedy"),
    [
        ("tvm", ["compile", "{bundle}", "--out", "{out}"], "Install apache-tvm"),
        ("rosbags", ["demo", "--recording", "{out}"], "Install it as requirements/packages.txt names it"),
        ("cv2", ["infer", "{out}"], "its extra [alone]"),
        ("safetensors", ["models", "show", "{bundle}"], "Install it as requirements/packages.txt names it"),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(bundle, tmp_path, package, line, remedy):
    line = [word.format(bundle=bundle.path, out=tmp_path / "out") for word in line]
    code = f"import sys; sys.modules[{package!r}] = None; from fastdepth_ros.cli import main; sys.exit(main({line!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"{package} is not installed here. " in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_the_command_line_itself_loads_neither_ros_nor_tvm():
    code = (
        "import sys, fastdepth_ros.cli; sys.exit(bool({'rclpy', 'tvm', 'tvm_ffi', 'torch', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
