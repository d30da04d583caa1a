"""Pruning with training, on a few computed rooms: it reaches its budget, and a kill changes nothing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_weights import narrowed, random_graph_weights

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.cli import main  # noqa: E402
from fastdepth_ros.errors import SettingError  # noqa: E402
from fastdepth_ros.network.entries import entry, read_entry  # noqa: E402
from fastdepth_ros.network.graph import Graph  # noqa: E402
from fastdepth_ros.pruning import learner as learner_module  # noqa: E402
from fastdepth_ros.pruning.entry_file import write_entry  # noqa: E402
from fastdepth_ros.pruning.learner import Learner  # noqa: E402
from fastdepth_ros.pruning.run import LOG, STATE  # noqa: E402
from fastdepth_ros.pruning.start import trained_weights  # noqa: E402
from fastdepth_ros.pruning.store import read_arrays, write_arrays  # noqa: E402
from fastdepth_ros.runtime.bundle import Bundle  # noqa: E402
from fastdepth_ros.training.augment import VIEW_FOCAL  # noqa: E402
from fastdepth_ros.training.graph_network import graph_from_arrays  # noqa: E402
from fastdepth_ros.training.recipe import parse_recipe, read_recipe  # noqa: E402
from fastdepth_ros.training.trainer import CHECKPOINT, Pace, Trainer  # noqa: E402
from fastdepth_ros.training.unfold import from_state, measured_anew, to_arrays, unfolded  # noqa: E402

RECIPE = {
    "name": "tiny",
    "network": "fastdepth-full",
    "data": {"files": [{"path": "rooms"}], "holdout_set": "computed-rooms", "holdout_share": 0.25},
    "loss": {"truth": 1.0, "log": 0.5},
    "phases": [
        {"images": 8, "size": 32, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-4},
        {"images": 16, "size": 64, "batch": 4, "rate": 1.0e-3, "end_rate": 1.0e-5},
    ],
}


# Two threads wait for each other where other programs take the processors.
torch.set_num_threads(1)


def toy() -> Graph:
    """FastDepth with an eighth of its channels."""
    return narrowed(entry("fastdepth-full").graph, 8)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Eight pictures of computed rooms, a recipe, a network and its weights."""
    folder = tmp_path_factory.mktemp("prune")
    assert main(["rooms", "--out", str(folder / "rooms"), "--count", "8", "--seed", "3"]) == 0
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    graph = toy()
    write_entry(folder / "toy.yaml", graph, 64, 64, "A toy.", "This test.")
    write_arrays(folder / "toy.npz", random_graph_weights(graph))
    return folder


def command(data: Path, out: Path, *more: str) -> list[str]:
    line = ["prune", str(data / "toy.yaml"), "--latency", "tx2-cpu", "--step", "4", "--iterations", "2"]
    line += ["--weights", str(data / "toy.npz"), "--recipe", str(data / "recipe.yaml"), "--data", str(data)]
    return [*line, "--budget", "1.53", "--threads", "1", "--out", str(out), "--name", "pruned", *more]


def test_unfolded_weights_answer_as_the_folded_ones():
    graph = narrowed(entry("efficientpose-a").graph)
    torch.manual_seed(0)
    arrays, pictures = random_graph_weights(graph), torch.rand(8, 3, 64, 64)
    model = unfolded(graph, arrays, pictures).eval()
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected, _ = graph_from_arrays(graph, arrays)(x)
        found, _ = model(x)
        spread = float(expected.max() - expected.min())
        assert float((found - expected).abs().max()) < 1e-3 * spread
        # Normalised by the batch that was measured, as in training, it answers the same.
        trained, _ = model.train()(pictures)
        plain, _ = graph_from_arrays(graph, arrays)(pictures)
        assert float((trained - plain).abs().max()) < 1e-2 * spread
    again = from_state(graph, to_arrays(model))
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))


def test_a_network_that_was_measured_anew_answers_in_use_as_in_training():
    torch.manual_seed(0)
    graph, pictures = toy(), torch.rand(8, 3, 64, 64)
    model = unfolded(graph, random_graph_weights(graph), pictures)
    with torch.no_grad():
        model.layer("conv3.pw").weight[::2] = 0
        expected, _ = model.train()(pictures)
        measured_anew(model, pictures)
        found, _ = model(pictures)
    assert not model.training
    # torch keeps the variance of a sample, which on the smallest maps, of 2x2 pixels, is 3 % above that of the batch.
    assert float((found - expected).abs().max()) < 0.1 * float(expected.max() - expected.min())


def test_pictures_that_judge_are_neither_trained_on_nor_held_out(data):
    learner = Learner(parse_recipe(RECIPE, "tiny"), [data])
    names = [{sample.name for sample in part} for part in (learner.samples, learner.judging, learner.held)]
    assert [len(each) for each in names] == [5, 1, 2]
    assert len(set.union(*names)) == 8


def test_a_recipe_with_a_teacher_is_refused(data):
    teacher = {"path": "teacher.npz", "sha256": "0" * 64}
    with pytest.raises(SettingError, match="teacher"):
        Learner(parse_recipe({**RECIPE, "teacher": teacher}, "tiny"), [data])


def test_a_proposal_learns_in_its_short_training_and_always_the_same(data):
    recipe = parse_recipe({**RECIPE, "phases": [{**RECIPE["phases"][0], "images": 40, "rate": 5.0e-3}]}, "tiny")
    learner, graph = Learner(recipe, [data]), toy()
    start = learner.begin(graph, random_graph_weights(graph))
    before = learner.errors(graph, start, learner.samples, 32)
    adapted, accuracy = learner.adapt(graph, start, 0)
    after = learner.errors(graph, adapted, learner.samples, 32)
    assert after["abs_rel"] < before["abs_rel"]
    assert 0 <= accuracy <= 1
    again, same = learner.adapt(graph, start, 0)
    assert same == accuracy
    assert all(np.array_equal(array, again[name]) for name, array in adapted.items())


def test_a_proposal_is_judged_by_its_shapes_and_not_by_its_scale(data):
    learner, graph = Learner(parse_recipe(RECIPE, "tiny"), [data]), toy()
    start = learner.begin(graph, random_graph_weights(graph))
    doubled = {**start}
    for name in ("decode_conv6.norm.weight", "decode_conv6.norm.bias"):
        doubled[name] = 2 * start[name]  # behind it there is nothing but a ReLU
    assert learner.accuracy(graph, doubled) == pytest.approx(learner.accuracy(graph, start), abs=1e-6)
    one, two = (learner.errors(graph, arrays, learner.judging, 32)["rmse_m"] for arrays in (start, doubled))
    assert one != pytest.approx(two)


def test_a_run_that_was_killed_and_taken_up_again_ends_with_the_same_bytes(data, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main(command(data, whole, "--export", str(tmp_path / "bundle"))) == 0
    start = [sys.executable, "-c", KILLED, *command(data, broken)]
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.communicate(timeout=500)
    assert process.returncode == -signal.SIGKILL
    assert (broken / STATE).is_file()
    assert not (broken / "weights.npz").exists()
    assert main(command(data, broken)) == 0
    for name in (STATE, LOG, "weights.npz", "pruned.yaml"):
        assert (whole / name).read_bytes() == (broken / name).read_bytes(), name

    log = json.loads((whole / LOG).read_text())
    assert log["end"] == "budget reached"
    assert log["taken"][-1]["milliseconds"] <= 1.53
    assert set(log["tuned"]["held"]) == {"delta1", "rmse_m", "abs_rel"}
    graph = read_entry(whole / "pruned.yaml").graph
    arrays, _ = read_arrays(whole / "weights.npz")
    graph.check_weights(arrays)
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.manifest.training_focal == pytest.approx([focal * 64 / 224 for focal in VIEW_FOCAL])
    assert bundle.manifest.network.encoder[0] == graph.channels["conv0"]
    assert np.allclose(bundle.weights()["conv0.weight"], arrays["conv0.weight"], atol=1e-2)


KILLED = """
import os, signal, sys
from fastdepth_ros.pruning import run
saved = run.Run.save
run.SAVE_SECONDS = 0.0

def save(self):
    saved(self)
    if len(self._judged) == 3 and self.log["taken"]:
        os.kill(os.getpid(), signal.SIGKILL)

run.Run.save = save
from fastdepth_ros.cli import main
main(sys.argv[1:])
"""
"""A run that saves after every proposal and is killed behind the third of its second iteration."""


def test_a_run_begins_with_what_fastdepth_train_has_averaged(data, tmp_path):
    phases = [{"images": 4, "size": 32, "batch": 2, "rate": 1.0e-3, "end_rate": 1.0e-4}]
    trainer = Trainer(parse_recipe({**RECIPE, "phases": phases}, "tiny"), [data], tmp_path, Pace(report_images=1000))
    trainer.run(lambda _: None, lambda _: None)
    graph = entry("fastdepth-full").graph
    arrays = trained_weights(graph, tmp_path / CHECKPOINT)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected, _ = trainer.average.eval()(x)
        found, _ = from_state(graph, arrays).eval()(x)
    torch.testing.assert_close(found[:, :, ::2, ::2], expected)
    with pytest.raises(SettingError, match="is not of "):
        trained_weights(toy(), tmp_path / CHECKPOINT)


def test_the_recipe_that_ships_can_be_read():
    recipe = read_recipe(Path(learner_module.__file__).parent / "recipes" / "prune.yaml")
    assert recipe.phases[0].frozen
    assert recipe.phases[0].images < recipe.phases[1].images


def test_the_long_training_goes_on_where_it_was_stopped(data, tmp_path):
    learner, graph = Learner(parse_recipe(RECIPE, "tiny"), [data]), toy()
    start = learner.begin(graph, random_graph_weights(graph))
    whole = learner.tune(graph, start, tmp_path / "whole", silent, lambda: False)
    steps = iter([False, False, True])
    assert learner.tune(graph, start, tmp_path / "broken", silent, lambda: next(steps)) is None
    again = learner.tune(graph, start, tmp_path / "broken", silent, lambda: False)
    assert all(np.array_equal(array, again[name]) for name, array in whole.items())


def silent(_words, _share):
    pass
