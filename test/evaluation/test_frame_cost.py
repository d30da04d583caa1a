"""What a frame costs the node beside the network, with the real node over DDS."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastdepth_ros.evaluation.benchmark.counted_node import Counts, CountsFile

ONE_CASE = """
import json, sys
from pathlib import Path
from fastdepth_ros.demo.graph import enter_graph

if __name__ == "__main__":
    model, folder, atlas = map(Path, sys.argv[1:4])
    enter_graph(folder / "graph")
    sys.path.append(sys.argv[4])
    from computed_room import bench_with
    bench_with(atlas)
    from fastdepth_ros.evaluation.benchmark import frame_cost
    from fastdepth_ros.evaluation.benchmark.frame_cost import Case, measure

    # How exact the figures are is not asked here.
    frame_cost.SETTLE, frame_cost.WARM_UP = 1.0, 3
    print(json.dumps(measure(model, "host", "auto", (Case(640, 480, False),), 10, folder, lambda _: None)))
"""


def test_counts_are_read_as_they_were_written(tmp_path):
    writer = CountsFile(tmp_path / "counts")
    reader = CountsFile(tmp_path / "counts")
    assert reader.read() == Counts(0, 0)
    writer.write(3, 5_000_000_000)
    assert reader.read() == Counts(3, 5_000_000_000)
    writer.write(4, 5_000_000_000, 7)
    assert reader.read() == Counts(4, 5_000_000_000, 7)


@pytest.mark.usefixtures("module")
def test_a_frames_cost_is_told_from_the_networks(bundle, atlas_file, tmp_path):
    # A process of its own, because a graph is entered before ROS is loaded.
    script = tmp_path / "one_case.py"
    script.write_text(ONE_CASE)
    environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    command = [sys.executable, script, bundle.path, tmp_path / "out", atlas_file, Path(__file__).parents[1]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert (found["width"], found["height"], found["jpeg"]) == (640, 480, False)
    assert found["network_ms"] > 0.1
    assert 0.1 < found["depth_ms"] < 200
    assert 0.1 < found["cloud_ms"] < 200
    assert 0.01 < found["sigma_ms"] < 200
    assert 0.01 < found["anchors_ms"] < 200
    assert 50 < found["resident_mb"] < 400
    assert found["first_depth_s"] > 0.1
