"""A run may begin with weights that were trained before, and ends in a bundle for the pictures that it learned from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights
from pictures import write_pictures

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.cli import main  # noqa: E402
from fastdepth_ros.errors import BundleError, SettingError, WeightsError  # noqa: E402
from fastdepth_ros.evaluation.dataset import sha256  # noqa: E402
from fastdepth_ros.network import Network  # noqa: E402
from fastdepth_ros.network.entries import entry  # noqa: E402
from fastdepth_ros.network.fastdepth import table_of  # noqa: E402
from fastdepth_ros.pruning.entry_file import write_entry  # noqa: E402
from fastdepth_ros.runtime.bundle import WEIGHTS, Bundle, Manifest, write_bundle  # noqa: E402
from fastdepth_ros.training import export, losses  # noqa: E402
from fastdepth_ros.training.augment import VIEW_FOCAL, plain_view  # noqa: E402
from fastdepth_ros.training.graph_network import graph_from_arrays  # noqa: E402
from fastdepth_ros.training.modules import arrays_of, frozen  # noqa: E402
from fastdepth_ros.training.objective import on_grid  # noqa: E402
from fastdepth_ros.training.recipe import Recipe, parse_recipe  # noqa: E402
from fastdepth_ros.training.showing import as_tensor  # noqa: E402
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


def recipe(data: Path, /, **changes: Any) -> Recipe:
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


def test_a_run_begins_with_the_mean_of_several_weights(data: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(data / "toy.npz"))
    rng = np.random.default_rng(2)
    np.savez(data / "other.npz", **{name: array + rng.normal(0, 0.01, array.shape) for name, array in arrays.items()})
    files = [{"path": "toy"}, {"path": "toy.npz"}, {"path": "other.npz"}]
    trainer = Trainer(recipe(data, start=files[0], beside=files[1:]), [data], tmp_path / "run")
    mean = {name: (2 * array + np.load(data / "other.npz")[name]) / 3 for name, array in arrays.items()}
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected, _ = graph_from_arrays(trainer.recipe.network, {k: v.astype(np.float32) for k, v in mean.items()})(x)
        found, _ = trainer.average.eval()(x, ())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    np.savez(data / "less.npz", **{name: array for name, array in arrays.items() if not name.startswith("conv3")})
    with pytest.raises(WeightsError, match="another network"):
        Trainer(recipe(data, start=files[0], beside=[{"path": "less.npz"}]), [data], tmp_path / "less")
    for wrong in ({"beside": files}, {"start": files[0], "beside": [{"path": "lite0.pth"}]}):
        with pytest.raises(SettingError, match="no mean|cannot be put"):
            recipe(data, **wrong)


def test_a_recipe_is_run_with_another_seed(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phase = {"images": 8, "size": 64, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4, "frozen": True}
    source = {"files": [{"path": "pictures"}], "holdout_set": "rooms", "holdout_share": 0.3}
    text = {"name": "tiny", "network": str(data / "toy.yaml"), "start": {"path": "toy"}, "data": source}
    (tmp_path / "tiny.yaml").write_text(json.dumps({**text, "phases": [phase]}))
    line = ["train", str(tmp_path / "tiny.yaml"), "--data", str(data), "--out", str(tmp_path / "run"), "--threads", "1"]
    assert main([*line, "--seed", "3"]) == 0
    assert main([*line, "--seed", "3", "--export", str(tmp_path / "tiny.npz")]) == 0
    assert main(line) == 2
    assert "holds a run of another recipe" in capsys.readouterr().err
    assert main([*line, "--seed", "-1"]) == 2
    assert "seed is -1" in capsys.readouterr().err


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


def taught_scale(data: Path, out: Path, form: float) -> tuple[float, float, set[str]]:
    """What is left of the error of scale, how far forms moved, and which layers did, where two blocks learned scale."""
    phase = {"images": 160, "size": 64, "batch": 4, "rate": 4.0e-3, "end_rate": 1.0e-4, "frozen": True, "average": 0.5}
    changes = {
        "start": {"path": "toy.npz"},
        "loss": {"truth": 0.0, "scale": 1.0, "form": form},
        "augment": {"scale": 1.0, "rotation": 0.0, "jitter": 0.0, "shift": False},
        "phases": [{**phase, "layers": ["conv13", "decode_conv1"]}],
    }
    ours = recipe(data, **changes)
    trainer = Trainer(ours, [data], out)
    before = arrays_of(trainer.average)
    trainer.run(lambda _: None, lambda _: None)
    after = arrays_of(trainer.average)
    answers = {id(arrays): frozen(ours.network, arrays) for arrays in (before, after)}
    found = []
    for view in (plain_view(sample.read(), 64, 64) for sample in trainer.samples if sample.has_depth):
        assert view.depth is not None
        x, truth = as_tensor(view.pixels[None]), torch.from_numpy(view.depth)[None, None]
        with torch.no_grad():
            first, last = (on_grid(each(x, ())[0], truth.shape[-2:]) for each in answers.values())
        counts = (truth > 0).float()
        found.append([float(losses.scale(each, truth, counts)) for each in (first, last)])
        found[-1].append(float(losses.form(last, first)))
    old, new, moved = np.mean(found, axis=0)
    changed = {name.rpartition(".")[0] for name, array in after.items() if not np.allclose(array, before[name])}
    return float(new / old), float(moved), changed


def test_a_phase_teaches_scale_to_some_layers_and_keeps_the_form(data: Path, tmp_path: Path) -> None:
    left, moved, changed = taught_scale(data, tmp_path / "free", form=0.0)
    _, kept, _ = taught_scale(data, tmp_path / "kept", form=5.0)
    assert left < 0.8
    assert kept < 0.7 * moved
    assert {"conv13.pw"} <= changed <= {"conv13.dw", "conv13.pw", "decode_conv1.dw", "decode_conv1.pw"}


def test_factors_move_what_is_learned(data: Path, tmp_path: Path) -> None:
    teacher = {"path": f"toy/{WEIGHTS}", "sha256": sha256(data / "toy" / WEIGHTS)}
    start = {"path": "toy.npz"}
    rows: list[dict[str, float]] = []
    for factor in (1.0, 2.0):
        taught = {**teacher, "factor": factor}
        source = {"files": [{"path": "pictures"}], "holdout_set": "rooms", "holdout_share": 0.3, "factor": factor}
        weights = {"truth": 0.0, "teacher": 1.0e-9}
        ours = recipe(data, start=start, teacher=taught, data=source, loss=weights)
        Trainer(ours, [data], tmp_path / str(factor)).run(lambda _: None, rows.append)
    before, after = rows
    assert after["teacher"] != pytest.approx(before["teacher"], rel=0.1)
    assert after["truth"] != pytest.approx(before["truth"], rel=0.1)


def test_a_bundle_is_for_the_pictures_that_it_learned_from(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(recipe(data, start={"path": "toy.npz"}), [data], tmp_path / "run")
    trainer.run(lambda _: None, lambda _: None)
    manifest = export.export(trainer, tmp_path / "small").manifest
    assert isinstance(manifest.network, Network)
    assert manifest.network.encoder[0] == 4
    assert (manifest.input_height, manifest.input_width) == (64, 64)
    assert manifest.training_focal == pytest.approx([focal * 64 / 224 for focal in VIEW_FOCAL])
    assert Bundle.open(tmp_path / "small").weights()["conv0.weight"].shape == (4, 3, 3, 3)
