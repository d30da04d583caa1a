"""Several cameras of a real node are measured over DDS, beside a single one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from fastdepth_ros.cli import main
from fastdepth_ros.evaluation.benchmark import several_cameras

TWO = """
import json, sys
from pathlib import Path
from fastdepth_ros.demo.graph import enter_graph

if __name__ == "__main__":
    model, folder, atlas = map(Path, sys.argv[1:4])
    enter_graph(folder / "graph")
    sys.path.append(sys.argv[4])
    from computed_room import bench_with
    bench_with(atlas)
    from fastdepth_ros.evaluation.benchmark.several_cameras import measure

    module = {"model": str(model), "target": "host", "precision": "auto"}
    print(json.dumps(measure(module, 2, 3.0, folder, lambda _: None, settle=0.5)))
"""


@pytest.mark.again
@pytest.mark.usefixtures("module")
def test_answers_and_ages_of_each_camera_are_measured_and_the_memory_of_the_node(bundle, atlas_file, tmp_path):
    # A process of its own, because a graph is entered before ROS is loaded.
    script = tmp_path / "two.py"
    script.write_text(TWO)
    environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    command = [sys.executable, script, bundle.path, tmp_path / "out", atlas_file, Path(__file__).parents[1]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    alone, two = json.loads(done.stdout)
    assert [each["name"] for each in alone["cameras"]] == ["the only one"]
    assert [each["name"] for each in two["cameras"]] == ["front", "rear"]
    for node in (alone, two):
        assert 50 < node["resident_mb"] < 500
        assert node["cores"] > 0
        for each in node["cameras"]:
            assert 0 < each["sent"] < 60
            assert 0 <= each["answered"] <= each["sent"]


def test_what_was_measured_is_shown_camera_by_camera():
    camera = {"name": "front", "sent": 450, "answered": 449, "share": 0.9978, "age_p50_ms": 12.34, "age_p95_ms": 20.0}
    console = Console(width=132, file=io.StringIO())
    several_cameras.show(console, [{"cameras": [camera], "resident_mb": 187.4, "cores": 0.5, "processor_ms": 9.3}])
    text = console.file.getvalue()
    assert all(words in text for words in ("front", "99.8 % of 450", "12.3 ms", "20.0 ms", "187 MB", "0.50", "9.3 ms"))


def test_more_cameras_than_a_node_has_are_refused(capsys):
    assert main(["bench", "--cameras", "17"]) == 2
    assert "Give 1 to 16" in capsys.readouterr().err
