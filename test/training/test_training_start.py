"""A run may begin with weights that were trained before, and ends in a bundle for the pictures that it learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights
from pictures import write_pictures

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import BundleError, WeightsError  # noqa: E402
from fastdepth_ros.evaluation.dataset import sha256  # noqa: E402
from fastdepth_ros.network import Network  # noqa: E402
from fastdepth_ros.network.entries import entry  # noqa: E402
from fastdepth_ros.network.fastdepth import table_of  # noqa: E402
from fastdepth_ros.pruning.entry_file import write_entry  # noqa: E402
from fastdepth_ros.runtime.bundle import WEIGHTS, Bundle, Manifest, write_bundle  # noqa: E402
from fastdepth_ros.training import export  # noqa: E402
from fastdepth_ros.training.augment import VIEW_FOCAL  # noqa: E402
from fastdepth_ros.training.graph_network import graph_from_arrays  # noqa: E402
from fastdepth_ros.training.recipe import Recipe, parse_recipe  # noqa: E402
from fastdepth_ros.training.trainer import Trainer  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a FastDepth with an eighth of its channels as an entry's file, its weights as .npz and as a bundle."""
    folder = tmp_path_factory.mktemp("start")
    write_pictures(folder / "pictures")
    graph = narrowed(entry("fastdepth-full").graph, 8)
    write_entry(folder / "toy.yaml", graph, 64, 64, "A toy.", "This test.")
    arrays = random_graph_weights(graph)
    arrays["decode_conv6.bias"][:] = 1.5
    arrays = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
    np.savez(folder / "toy.npz", **arrays)
    table = table_of(graph, "toy")
    assert table is not None
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    write_bundle(folder / "toy", Manifest("toy", table, input_width=64, input_height=64), halves, "# Toy\n")
    return folder


def recipe(data: Path, **changes: Any) -> Recipe:
    phase = {"images": 8, "size": 64, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4, "frozen": True}
    text = {
        "name": "tiny",
        "network": str(data / "toy.yaml"),
        "data": {"files": [{"path": "pictures"}], "holdout_set": "rooms", "holdout_share": 0.3},
        "phases": [phase],
    }
    return parse_recipe({**text, **changes}, "recipe.yaml")


@pytest.mark.parametrize("start", ["toy.npz", "toy"])
def test_a_run_begins_with_the_weights_of_a_file_or_a_bundle(data: Path, tmp_path: Path, start: str) -> None:
    trainer = Trainer(recipe(data, start={"path": start}), [data], tmp_path)
    graph = trainer.recipe.network
    before = dict(np.load(data / "toy.npz"))
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected, _ = graph_from_arrays(graph, before)(x)
        found, _ = trainer.average.eval()(x, ())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    trainer.run(lambda _: None, lambda _: None)
    # What was learned is not begun again.
    again = Trainer(recipe(data, start={"path": start}), [data], tmp_path)
    for name, value in again.average.state_dict().items():
        assert torch.equal(value, trainer.average.state_dict()[name]), name


def test_a_table_begins_with_a_bundle_of_its_own_shape_alone(data: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        Trainer(recipe(data, network="fastdepth-pruned", start={"path": "toy"}), [data], tmp_path)
    with pytest.raises(BundleError):
        Trainer(recipe(data, start={"path": "pictures"}), [data], tmp_path)


def test_a_bundle_teaches(data: Path, tmp_path: Path) -> None:
    teacher = {"path": f"toy/{WEIGHTS}", "sha256": sha256(data / "toy" / WEIGHTS)}
    ours = recipe(data, start={"path": "toy.npz"}, teacher=teacher, loss={"truth": 0.0, "teacher": 1.0})
    trainer = Trainer(ours, [data], tmp_path)
    assert trainer.teaching is not None
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        taught, _ = trainer.teaching.network(x, ())
        expected, _ = graph_from_arrays(ours.network, dict(np.load(data / "toy.npz")))(x)
    torch.testing.assert_close(taught, expected[:, :, ::2, ::2], rtol=1e-3, atol=1e-3)
    rows: list[dict[str, float]] = []
    trainer.run(lambda _: None, rows.append)
    assert np.isfinite(rows[-1]["teacher"])


def test_a_bundle_is_for_the_pictures_that_it_learned_from(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(recipe(data, start={"path": "toy.npz"}), [data], tmp_path / "run")
    trainer.run(lambda _: None, lambda _: None)
    manifest = export.export(trainer, tmp_path / "small").manifest
    assert isinstance(manifest.network, Network)
    assert manifest.network.encoder[0] == 4
    assert (manifest.input_height, manifest.input_width) == (64, 64)
    assert manifest.training_focal == pytest.approx([focal * 64 / 224 for focal in VIEW_FOCAL])
    assert Bundle.open(tmp_path / "small").weights()["conv0.weight"].shape == (4, 3, 3, 3)
