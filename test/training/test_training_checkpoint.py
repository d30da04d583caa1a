"""Checkpoints: a full disk is told as one, and what was kept before is there still."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import StorageError  # noqa: E402
from fastdepth_ros.training import checkpoint  # noqa: E402

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
