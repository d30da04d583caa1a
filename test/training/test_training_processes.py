"""Processes that train together take the steps that one would take, and go on where they were."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pictures import write_pictures

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import SettingError  # noqa: E402
from fastdepth_ros.training import checkpoint, curves  # noqa: E402
from fastdepth_ros.training.processes import ALONE, Processes  # noqa: E402
from fastdepth_ros.training.trainer import CHECKPOINT, CURVES  # noqa: E402

CHECKOUT = Path(__file__).parents[2]


def command(recipe, out, processes):
    """`fastdepth train` in one process, or in several as torchrun starts them."""
    arguments = ["-m", "fastdepth_ros.cli", "train", str(recipe), "--out", str(out), "--threads", "1"]
    if processes == 1:
        return [sys.executable, *arguments]
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *run, *arguments]


def train(recipe, out, processes):
    done = subprocess.run(command(recipe, out, processes), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return checkpoint.load(out / CHECKPOINT)


def test_two_processes_take_the_steps_of_one_and_go_on_where_they_were(tmp_path):
    write_pictures(tmp_path / "pictures", count=20)  # two of five have no depth: shares know unequal numbers of pixels
    # Frozen, for batch normalisation of a few pixels makes large differences of those in the last bit.
    phase = {"images": 8, "size": 64, "batch": 4, "rate": 1.0e-2, "end_rate": 1.0e-2, "frozen": True}
    text = {
        "name": "together",
        "network": "litedepth",
        "data": {"files": [{"path": "pictures"}], "holdout_set": "rooms", "holdout_share": 0.2},
        "loss": {"truth": 1.0, "sig": 1.0, "edges": 0.25, "virtual_normal": 2.5, "robust": 0.6},
        "optimiser": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.0},
        "phases": [phase],
    }
    first, both = tmp_path / "first.yaml", tmp_path / "both.yaml"
    first.write_text(yaml.safe_dump(text))
    both.write_text(yaml.safe_dump({**text, "phases": [phase, phase]}))
    train(first, tmp_path / "one", 1)
    alone = train(both, tmp_path / "one", 1)
    begun = train(first, tmp_path / "two", 2)
    together = train(both, tmp_path / "two", 2)
    assert (begun["step"], together["step"], together["images"]) == (2, 4, 16)
    for name, value in alone["model"].items():
        torch.testing.assert_close(
            together["model"][name], value, rtol=1e-3, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )
    moved = [
        (value - begun["model"][name]).abs().max().item()
        for name, value in together["model"].items()
        if value.is_floating_point()
    ]
    assert max(moved) > 1e-3, "the comparison would say nothing"
    one, two = (curves.read(tmp_path / name / CURVES) for name in ("one", "two"))
    assert [row["step"] for row in one] == [row["step"] for row in two] == [2, 4]
    for ours, theirs in zip(one, two, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3)
        assert ours["rmse_m"] == pytest.approx(theirs["rmse_m"], rel=1e-2)


def test_batch_normalisation_and_means_of_a_divided_batch_are_those_of_the_whole():
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = Path(__file__).with_name("divided.py")
    done = subprocess.run([*run, str(script)], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout.splitlines()[-1]) < 1e-12  # in 64 bits


def test_a_batch_is_divided_without_rest():
    assert list(ALONE.share(3)) == [0, 1, 2]
    assert [list(Processes(rank, 2).share(8)) for rank in (0, 1)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(SettingError, match="a batch of 8 views cannot be divided among 3 processes"):
        Processes(0, 3).share(8)
