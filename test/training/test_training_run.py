"""A training run on a few pictures that the test makes: it learns, and a kill changes nothing."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from pictures import write_pictures

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import SettingError, WeightsError  # noqa: E402
from fastdepth_ros.evaluation.dataset import sha256  # noqa: E402
from fastdepth_ros.network import PRUNED  # noqa: E402
from fastdepth_ros.training import checkpoint, curves, distill  # noqa: E402
from fastdepth_ros.training.augment import VIEW_FOCAL  # noqa: E402
from fastdepth_ros.training.export import export  # noqa: E402
from fastdepth_ros.training.feed import Feed  # noqa: E402
from fastdepth_ros.training.network import FastDepth, folded  # noqa: E402
from fastdepth_ros.training.recipe import Recipe, parse_recipe  # noqa: E402
from fastdepth_ros.training.trainer import CHECKPOINT, CURVES, PLOT, Machine, Pace, Trainer  # noqa: E402

STEPS = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures in which brighter is farther, six with depth, and a teacher with random weights."""
    folder = tmp_path_factory.mktemp("data")
    write_pictures(folder / "pictures")
    torch.manual_seed(5)
    np.savez(folder / "teacher.npz", **folded(FastDepth(PRUNED)))
    text = {
        "name": "tiny",
        "network": "fastdepth-pruned",
        "data": {"files": [{"path": "pictures"}], "holdout_set": "rooms", "holdout_share": 0.3},
        "teacher": {
            "path": "teacher.npz",
            "sha256": sha256(folder / "teacher.npz"),
            "hints": ["conv5", "conv13", "decode_conv2"],
        },
        "loss": {"truth": 1.0, "teacher": 0.1, "hints": 0.1, "log": 0.1, "gradient": 0.1},
        "average": 0.9,
        "phases": [
            {"images": 4 * STEPS // 2, "size": 64, "batch": 4, "rate": 3.0e-3, "end_rate": 1.0e-3, "warmup": 8},
            {"images": 4 * STEPS // 2, "size": 96, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4},
        ],
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(text))
    return folder


def recipe(data: Path, **changes: Any) -> Recipe:
    return parse_recipe({**yaml.safe_load((data / "recipe.yaml").read_text()), **changes}, "recipe.yaml")


def command(data: Path, out: Path) -> list[str]:
    """``fastdepth train`` with a checkpoint after every step."""
    arguments = ["train", str(data / "recipe.yaml"), "--out", str(out), "--save", "1e-9", "--threads", "1"]
    return [sys.executable, "-m", "fastdepth_ros.cli", *arguments, "--report", "16"]


def arrays(state: Any) -> dict[str, Any]:
    """Everything in a checkpoint, flat, so that two can be compared."""
    flat: dict[str, Any] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict | list | tuple):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, each in items:
                walk(f"{name}/{key}", each)
        elif name != "/seconds":
            flat[name] = value

    walk("", state)
    return flat


def test_a_run_that_was_killed_and_taken_up_again_ends_bit_for_bit_as_one_that_was_not(
    data: Path, tmp_path: Path
) -> None:
    subprocess.run(command(data, tmp_path / "whole"), check=True, capture_output=True, timeout=200)
    broken = subprocess.Popen(command(data, tmp_path / "broken"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    file = tmp_path / "broken" / CHECKPOINT
    deadline = time.monotonic() + 200
    while not file.is_file() and broken.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    assert 0 < checkpoint.load(file)["step"] < STEPS, "killed too late to show anything"
    subprocess.run(command(data, tmp_path / "broken"), check=True, capture_output=True, timeout=200)

    whole, again = (arrays(checkpoint.load(tmp_path / name / CHECKPOINT)) for name in ("whole", "broken"))
    assert whole["/step"] == STEPS
    assert whole.keys() == again.keys()
    assert sum(isinstance(value, torch.Tensor) for value in whole.values()) > 300
    for name, value in whole.items():
        same = torch.equal(value, again[name]) if isinstance(value, torch.Tensor) else value == again[name]
        assert same, name
    rows = [curves.read(tmp_path / name / CURVES) for name in ("whole", "broken")]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]] == [4, 8, 12]
    assert [row["rmse_m"] for row in rows[0]] == [row["rmse_m"] for row in rows[1]]


def test_the_loss_falls_and_the_curves_show_it(data: Path, tmp_path: Path) -> None:
    phases = [{"images": 160, "size": 64, "batch": 4, "rate": 3.0e-3, "end_rate": 1.0e-3, "warmup": 8}]
    trainer = Trainer(recipe(data, phases=phases), [data], tmp_path, Pace(report_images=40))
    rows: list[dict[str, float]] = []
    trainer.run(lambda _: None, rows.append)
    assert trainer.finished
    assert [row["images"] for row in rows] == [40, 80, 120, 160]
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert rows[-1]["truth"] < 0.7 * rows[0]["truth"]
    assert rows[-1]["hints"] < rows[0]["hints"]
    assert all(0 <= row["delta1"] <= 1 and row["rmse_m"] > 0 for row in rows)
    assert [row["step"] for row in curves.read(tmp_path / CURVES)] == [10, 20, 30, 40]
    assert cv2.imread(str(tmp_path / PLOT)) is not None

    bundle = export(trainer, tmp_path / "ours")
    assert bundle.manifest.training_focal == pytest.approx([focal * 64 / 224 for focal in VIEW_FOCAL])
    assert "160 views of 7 pictures" in bundle.manifest.trained_on
    teacher = np.load(data / "teacher.npz")
    for name, array in bundle.weights().items():
        if array.size == 1 or not teacher[name].any():
            continue  # one number is proportional to any other; a bias that was never trained is 0
        cosine = np.vdot(array, teacher[name]) / (np.linalg.norm(array) * np.linalg.norm(teacher[name]))
        assert abs(cosine) < 0.999, f"{name} is the teacher's"


def statistics(model: FastDepth) -> dict[str, Any]:
    """A copy of the means and variances of the batch normalisation."""
    return {name: buffer.clone() for name, buffer in model.named_buffers() if buffer.is_floating_point()}


def test_a_frozen_phase_keeps_the_statistics_of_the_average_and_may_be_interrupted(data: Path, tmp_path: Path) -> None:
    phase = {"images": 24, "size": 64, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4}
    ours = recipe(data, phases=[phase, {**phase, "frozen": True}])
    whole, broken = Trainer(ours, [data], tmp_path / "whole"), Trainer(ours, [data], tmp_path / "broken")
    whole.run(lambda trainer: trainer.step == 6, lambda _: None)
    before, weights = statistics(whole.average), whole.model.layer("conv0").weight.detach().clone()
    whole.run(lambda _: None, lambda _: None)
    assert not torch.equal(whole.model.layer("conv0").weight, weights)
    for now in (statistics(whole.model), statistics(whole.average)):
        assert all(torch.allclose(value, before[name], rtol=1e-5, atol=1e-7) for name, value in now.items())

    broken.run(lambda trainer: trainer.step == 9, lambda _: None)
    again = Trainer(ours, [data], tmp_path / "broken")
    again.run(lambda _: None, lambda _: None)
    one, other = (arrays(checkpoint.load(tmp_path / name / CHECKPOINT)) for name in ("whole", "broken"))
    for name, value in one.items():
        assert torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name], name


def test_with_blind_the_teacher_is_asked_only_about_pictures_without_a_truth(data: Path, tmp_path: Path) -> None:
    asked: list[int] = []

    def spy(teacher: Any, pixels: Any, names: Any, half: bool = False) -> Any:
        asked.append(len(pixels))
        return ask(teacher, pixels, names, half)

    phase = {"images": 32, "size": 64, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4}
    loss = {"truth": 1.0, "teacher": 1.0, "hints": 0.1, "log": 0.1, "gradient": 0.1, "blind": True}
    ours = recipe(data, phases=[phase], loss=loss)
    ask = distill.ask
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distill, "ask", spy)
        trainer = Trainer(ours, [data], tmp_path)
        trainer.run(lambda _: None, lambda _: None)
    feed = Feed(ours, trainer.samples)
    blank = sum(int((feed.batch(step, ours.phases[0]).depth.max((1, 2)) == 0).sum()) for step in range(8))
    assert 0 < blank < 32
    assert sum(asked) == blank


def test_pictures_do_not_depend_on_how_many_threads_make_them(data: Path, tmp_path: Path) -> None:
    plan = recipe(data)
    samples = Trainer(plan, [data], tmp_path).samples
    one, three = (list(Feed(plan, samples, 3, workers)) for workers in (1, 3))
    assert len(one) == len(three) == STEPS - 3
    for batch, other in zip(one, three, strict=True):
        np.testing.assert_array_equal(batch.pixels, other.pixels)
        np.testing.assert_array_equal(batch.depth, other.depth)


def test_mixed_views_have_no_truth_and_the_others_are_what_they_were(data: Path, tmp_path: Path) -> None:
    plain, some = (recipe(data, augment={"mix": mix}) for mix in (0.0, 0.5))
    samples = Trainer(plain, [data], tmp_path).samples
    mixed = 0
    for step in range(8):
        one, other = (Feed(each, samples).batch(step, each.phases[0]) for each in (plain, some))
        for i in range(len(one.pixels)):
            same = (one.pixels[i] == other.pixels[i]).all()
            mixed += not same
            np.testing.assert_array_equal(other.depth[i], one.depth[i] if same else 0)
        np.testing.assert_array_equal(other.taught, other.pixels)
    assert 8 <= mixed <= 24


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no accelerator")
def test_an_accelerator_learns_too_and_its_run_goes_on_elsewhere(data: Path, tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    Trainer(recipe(data), [data], tmp_path, Pace(16), Machine("cuda", 2)).run(lambda now: now.step == 8, rows.append)
    again = Trainer(recipe(data), [data], tmp_path, Pace(16))
    again.run(lambda _: None, rows.append)
    assert again.finished
    assert all(np.isfinite(row["loss"]) for row in rows)


def test_held_out_pictures_are_the_last_by_number_and_never_learned_from(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(recipe(data), [data], tmp_path)
    assert [sample.name for sample in trainer.held] == ["room07", "room08", "room09"]
    assert {sample.name for sample in trainer.samples} == {f"room{i:02d}" for i in range(7)}


def test_a_folder_with_a_run_of_another_recipe_is_refused(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(recipe(data), [data], tmp_path)
    trainer.run(lambda now: now.step == 2, lambda _: None)
    assert trainer.step == 2
    with pytest.raises(SettingError, match="another recipe"):
        Trainer(recipe(data, seed=2), [data], tmp_path)
    first, second = yaml.safe_load((data / "recipe.yaml").read_text())["phases"]
    with pytest.raises(SettingError, match="another recipe"):
        Trainer(recipe(data, phases=[{**first, "rate": 1.0e-4}, second]), [data], tmp_path)
    # A phase that has not begun may be another one: so a run is prolonged.
    longer = Trainer(recipe(data, phases=[first, {**second, "images": 400}, second]), [data], tmp_path)
    assert longer.step == 2


def test_data_that_are_not_those_of_the_recipe_are_refused(data: Path, tmp_path: Path) -> None:
    teacher = {"path": "teacher.npz", "sha256": "0" * 64, "hints": ["conv5"]}
    with pytest.raises(SettingError, match="sha256"):
        Trainer(recipe(data, teacher=teacher), [data], tmp_path)
    with pytest.raises(SettingError, match=r"pictures is in none of"):
        Trainer(recipe(data), [tmp_path], tmp_path)


def test_a_run_that_has_not_begun_cannot_be_exported(data: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no trained weights"):
        export(Trainer(recipe(data), [data], tmp_path), tmp_path / "ours")
