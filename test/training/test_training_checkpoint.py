"""Checkpoints: a full disk is told as one, and what was kept before is there still."""

import os
import resource
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import SettingError, StorageError, WeightsError  # noqa: E402
from fastdepth_ros.network.entries import entry  # noqa: E402
from fastdepth_ros.pruning.start import trained_weights  # noqa: E402
from fastdepth_ros.training import checkpoint  # noqa: E402
from fastdepth_ros.training.graph_network import GraphNetwork  # noqa: E402

LARGEST = 100_000


@pytest.fixture
def no_room() -> Iterator[None]:
    """A system that ends each file after :data:`LARGEST` bytes, in the middle of a write, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("values", [LARGEST // 4, LARGEST])  # the last bytes do not fit; most do not
def test_a_full_disk_is_told_as_one_and_the_older_checkpoint_stays(values: int, tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoint.pt"
    checkpoint.save(path, {"step": 3})
    with pytest.raises(StorageError, match=r"checkpoint\.pt cannot be written \(File too large\)") as told:
        checkpoint.save(path, {"step": 4, "weights": torch.zeros(values)})
    assert "goes on from what was kept" in told.value.remedy
    assert checkpoint.load(path) == {"step": 3}
    assert [each.name for each in path.parent.iterdir()] == [
        "checkpoint.pt"
    ]  # no half of one takes the rest of the disk


def test_a_checkpoint_that_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    """Half a megabyte of one byte over and over is half a gigabyte of weights."""
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"weights": torch.zeros(1 << 20)})
    with zipfile.ZipFile(path) as plain:
        members = {member.filename: plain.read(member) for member in plain.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    with pytest.raises(WeightsError, match="unpacks to more than"):
        checkpoint.load(path)


def test_a_pipe_in_a_checkpoint_s_place_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(WeightsError, match="no regular file"):
        checkpoint.load(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("state", [{}, {"average": 3}, {"average": {"a": 1}}, {"average": {"a": "b"}}, ["a"]])
def test_a_state_of_something_else_is_told(state: Any, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, state)
    with pytest.raises((WeightsError, SettingError), match=r"checkpoint\.pt"):
        trained_weights(entry("fastdepth-pruned").graph, path)


def test_weights_of_a_kind_that_numpy_has_not_are_told(tmp_path: Path) -> None:
    graph, path = entry("fastdepth-pruned").graph, tmp_path / "checkpoint.pt"
    average = {name: value.to(torch.bfloat16) for name, value in GraphNetwork(graph).state_dict().items()}
    checkpoint.save(path, {"average": average})
    with pytest.raises(WeightsError, match="no state of this run"):
        trained_weights(graph, path)
