"""The search itself, in a toy space on a few computed rooms: it learns, and a kill changes nothing."""

import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import yaml
from search_toy import TOY, costs, toy

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.cli import main  # noqa: E402
from fastdepth_ros.errors import SettingError, WeightsError  # noqa: E402
from fastdepth_ros.evaluation.dataset import open_source  # noqa: E402
from fastdepth_ros.importing import npz  # noqa: E402
from fastdepth_ros.network.entries import read_entry  # noqa: E402
from fastdepth_ros.network.plain import evaluate  # noqa: E402
from fastdepth_ros.pruning.store import read_arrays  # noqa: E402
from fastdepth_ros.search.choices import by_chance  # noqa: E402
from fastdepth_ros.search.found import write_found  # noqa: E402
from fastdepth_ros.search.job import Job  # noqa: E402
from fastdepth_ros.search.learning import latency_loss  # noqa: E402
from fastdepth_ros.search.recipe import names, search_recipe  # noqa: E402
from fastdepth_ros.search.searcher import LOG, STATE, Searcher  # noqa: E402
from fastdepth_ros.search.super_network import SuperNetwork  # noqa: E402
from fastdepth_ros.search.table import Costs  # noqa: E402
from fastdepth_ros.training.graph_network import graph_from_arrays  # noqa: E402
from fastdepth_ros.training.method import Choice, recipe_of  # noqa: E402

CHECKOUT = Path(__file__).parents[2]

# Two threads wait for each other where other programs take the processors.
torch.set_num_threads(1)

RECIPE = {
    "about": "A toy.",
    "source": "This test.",
    "images": 80,
    "batch": 4,
    "stretches": [{"epochs": 1, "rate": 1.0e-3, "end_rate": 1.0e-4}],
    "loss": {"truth": 1.0, "log": 0.5},
    "holdout": 0.25,
    "architecture": {
        "latency_lambda": 0.3,
        "begin": 0.2,
        "every": 2,
        "share": 0.4,
        "rate": 0.02,
        "end_tau": 0.5,
        "finalists": 3,
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Eight pictures of computed rooms."""
    folder = tmp_path_factory.mktemp("search")
    assert main(["rooms", "--out", str(folder / "rooms"), "--count", "8", "--seed", "3"]) == 0
    return folder / "rooms"


def job(folder: Path, data: Path, budget: float = 25.0, table: Costs | None = None, **architecture: object) -> Job:
    """A search in the toy space, of 20 steps."""
    folder.mkdir(exist_ok=True)
    space = toy(folder)
    text = {**RECIPE, "architecture": {**RECIPE["architecture"], **architecture}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(text))
    recipe = search_recipe(str(folder / "recipe.yaml"))
    choice = Choice(space.name, space.graph(by_chance(space, 0)), (space.height, space.width), recipe.images)
    return Job(space, table or costs(space), budget, recipe, recipe_of(recipe, choice, open_source(data)))


def begun(folder: Path, data: Path, **asked: object) -> Searcher:
    return Searcher(job(folder, data, **asked), [data], folder / "run")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_search_that_was_stopped_and_goes_on_ends_as_one_that_was_not(tmp_path, data):
    whole = begun(tmp_path / "whole", data)
    assert whole.go()
    write_found(whole, "net")
    for after in (3, 9):
        asked = count()
        assert not begun(tmp_path / "broken", data).go(stopping=lambda asked=asked, after=after: next(asked) >= after)
    again = begun(tmp_path / "broken", data)
    assert again.step == 12
    assert again.go()
    write_found(again, "net")
    expected = files(tmp_path / "whole" / "run")
    assert set(expected) == {STATE, LOG, "net.yaml", "weights.npz"}
    assert files(tmp_path / "broken" / "run") == expected


def test_the_log_says_what_was_found_and_can_be_plotted(tmp_path, data):
    run = begun(tmp_path, data)
    run.go()
    log = json.loads((tmp_path / "run" / LOG).read_text())
    assert [row["step"] for row in log["rows"]] == list(range(1, 21))
    assert all(np.isfinite([row["loss"], row["expected_ms"], row["found_ms"]]).all() for row in log["rows"])
    assert "architecture_loss" not in log["rows"][3]
    assert "architecture_loss" in log["rows"][4]
    assert log["rows"][0]["tau"] == 1.0
    assert log["rows"][-1]["tau"] == pytest.approx(0.5)
    rows = log["finalists"]
    assert log["found"] == rows[0]["choice"]
    assert run.found() in [row["choice"] for row in rows]
    assert [row["delta1_scaled"] for row in rows] == sorted((row["delta1_scaled"] for row in rows), reverse=True)
    assert all(0 <= row["delta1_scaled"] <= 1 and row["milliseconds"] <= 25.0 for row in rows)
    assert log["shares"] == run.shares()
    assert run.job.costs.milliseconds(run.job.space, log["found"]) <= 25.0


def test_one_finalist_is_the_likeliest(tmp_path, data):
    run = begun(tmp_path, data, finalists=1)
    run.go()
    assert run.log["found"] == run.found()
    assert "finalists" not in run.log


def test_a_search_goes_on_with_another_number_of_finalists(tmp_path, data):
    asked = count()
    begun(tmp_path, data, finalists=1).go(stopping=lambda: next(asked) >= 18)
    run = begun(tmp_path, data, finalists=2)
    assert run.step == 18
    run.go()
    assert len(run.log["finalists"]) == 2


def test_steps_of_the_weights_leave_logits_and_other_candidates_alone(tmp_path, data):
    run = begun(tmp_path, data, begin=0.99)
    before = {name: value.clone() for name, value in run.learning.model.state_dict().items()}
    asked = count()
    run.go(stopping=lambda: next(asked) >= 1)
    assert all((value == 0).all() for value in run.learning.logits.values())
    moved = {name for name, value in run.learning.model.state_dict().items() if not torch.equal(value, before[name])}
    kernels = {name for name in moved if name.endswith("weight") and "norm" not in name}
    assert "layers.stem.weight" in kernels
    assert len({name for name in kernels if name.startswith("layers.b_k")}) == 3  # expand, dw, project of one
    assert {name.split("_")[1] for name in kernels if name.startswith("layers.b_k")} in ({"k3e2"}, {"k5e2"})


def test_steps_of_the_architecture_leave_weights_and_what_was_not_drawn_alone(tmp_path, data):
    run = begun(tmp_path, data)
    weights = {name: value.clone() for name, value in run.learning.model.named_parameters()}
    shares = run.shares()
    run.learning.step_of_architecture(run.step)
    assert all(torch.equal(value, weights[name]) for name, value in run.learning.model.named_parameters())
    after = run.shares()
    changed = {
        slot: [word for word in own if abs(after[slot][word] - own[word]) > 1e-9] for slot, own in shares.items()
    }
    assert any(changed.values())
    for slot in ("a", "up2"):  # Those of three candidates.
        assert len(changed[slot]) == 2
        assert sum(after[slot].values()) == pytest.approx(1.0)


def test_a_large_lambda_pushes_towards_the_cheaper_candidate(tmp_path, data):
    space = toy(tmp_path)
    slots = {slot.name: dict.fromkeys(slot.candidates, 1.0) for slot in space.slots.values()}
    slots["b"]["k5e2"] = 9.0
    slots["up2"]["k3e2.before"] = 9.0
    run = begun(tmp_path, data, budget=5.5, table=Costs("two are dear", 0.1, slots), latency_lambda=50.0, rate=0.1)
    run.go()
    shares = run.shares()
    dear = shares["b"]["k5e2"], shares["up2"]["k3e2.before"]
    assert dear[0] < 0.3
    assert dear[1] < 0.2
    penalties = [row["penalty"] for row in run.log["rows"] if "penalty" in row]
    assert penalties[-1] < penalties[0]
    assert run.log["rows"][-1]["expected_ms"] < run.log["rows"][0]["expected_ms"]


def test_within_the_budget_milliseconds_cost_nothing_and_beyond_they_pull():
    expected = torch.tensor([2.0, 8.0], requires_grad=True)
    found = [latency_loss(each, 4.0, 0.3) for each in expected]
    assert found[0].item() == 0.0
    assert found[1].item() == pytest.approx(0.3 * np.log(2))
    sum(found).backward()
    assert expected.grad.tolist() == pytest.approx([0.0, 0.3 / 8])


def test_the_gradient_of_expected_milliseconds_is_that_of_shares(tmp_path):
    space = toy(tmp_path)
    table = costs(space)
    logits = {name: torch.zeros(len(slot.candidates), requires_grad=True) for name, slot in space.slots.items()}
    shares = {
        name: dict(zip(slot.candidates, torch.softmax(logits[name], 0), strict=True))
        for name, slot in space.slots.items()
    }
    table.expected(space, shares).backward()
    own = table.slots["b"]
    assert logits["b"].grad.tolist() == pytest.approx(
        [(own["k3e2"] - own["k5e2"]) / 4, (own["k5e2"] - own["k3e2"]) / 4]
    )
    inner = table.slots["deep"]
    # Half of the networks have that slot at all.
    assert logits["deep"].grad[0].item() == pytest.approx((inner["k3e2"] - inner["k7e2"]) / 4 / 2)


def test_one_candidate_s_share_of_one_answers_as_its_network_alone(tmp_path):
    space = toy(tmp_path)
    torch.manual_seed(0)
    model, x = SuperNetwork(space).eval(), torch.rand(2, 3, 32, 32)
    choice = by_chance(space, 5)
    alone = space.assembled({slot: (word,) for slot, word in choice.items()})
    every = {slot.name: slot.candidates for slot in space.slots.values()}
    shares = {
        slot: {word: torch.tensor(float(choice.get(slot) == word)) for word in words} for slot, words in every.items()
    }
    with torch.no_grad():
        expected = model.answer(x, alone)
        assert torch.allclose(model.answer(x, space.assembled(every), shares), expected, atol=1e-6)
        assert torch.allclose(model.network(alone.graph).eval()(x)[0], expected, atol=1e-6)


def test_the_found_entry_answers_as_its_torch_module(tmp_path, data):
    run = begun(tmp_path, data)
    run.go()
    path = write_found(run, "net")
    found, arrays = read_entry(path), npz.read(tmp_path / "run" / "weights.npz")
    assert found.graph.nodes == run.job.space.graph(run.log["found"]).nodes
    assert (found.height, found.width) == (32, 32)
    pixels = np.random.default_rng(0).random((3, 32, 32), np.float32)
    with torch.no_grad():
        expected = graph_from_arrays(found.graph, arrays)(torch.from_numpy(pixels)[None])[0][0].numpy()
    answer = evaluate(found.graph, arrays, pixels)
    assert np.abs(answer - expected).max() < 1e-4 * max(float(np.abs(expected).max()), 1.0)


def test_a_folder_with_another_search_is_refused(tmp_path, data):
    asked = count()
    begun(tmp_path, data).go(stopping=lambda: next(asked) >= 1)
    with pytest.raises(SettingError, match="budget_ms"):
        begun(tmp_path, data, budget=26.0)
    (tmp_path / "run" / STATE).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(WeightsError, match=STATE):
        begun(tmp_path, data)


def test_a_budget_that_no_network_meets_is_told_before_anything_is_searched(tmp_path, data):
    with pytest.raises(SettingError, match="no network of toy"):
        begun(tmp_path, data, budget=1.0)


@pytest.mark.parametrize("name", names())
def test_a_recipe_that_ships_can_be_read(name):
    assert search_recipe(name).reading


@pytest.mark.parametrize(
    "change",
    [
        {"share": 1.0},
        {"every": 0},
        {"finalists": 0},
        {"tau": 0.0},
        {"latency_lambda": -1.0},
        {"betas": [0.5]},
        {"lamda": 1.0},
    ],
)
def test_a_recipe_that_cannot_be_is_told(tmp_path, change):
    text = {**RECIPE, "architecture": {**RECIPE["architecture"], **change}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(text))
    with pytest.raises(SettingError, match=r"recipe\.yaml"):
        search_recipe(str(tmp_path / "recipe.yaml"))


@pytest.mark.parametrize(
    "words", [b"\xff\xfe\x00", b"reading: 2026-13-99", b"[" * 5000], ids=["no UTF-8", "date", "deep"]
)
def test_a_file_that_is_no_recipe_is_named(tmp_path, words):
    (tmp_path / "recipe.yaml").write_bytes(words)
    with pytest.raises(SettingError, match=r"recipe\.yaml cannot be read"):
        search_recipe(str(tmp_path / "recipe.yaml"))


def test_the_command_searches_compares_and_draws(tmp_path, data, capsys):
    (tmp_path / "toy.yaml").write_text(TOY)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**RECIPE, "images": 16}))
    line = ["search", "--target", "tx2-cpu", "--budget-ms", "0.8", "--out", str(tmp_path / "net")]
    line += ["--space", str(tmp_path / "toy.yaml"), "--recipe", str(tmp_path / "recipe.yaml"), "--data", str(data)]
    line += ["--beside", "", "--beside-images", "8", "--plot", str(tmp_path / "net.png")]
    assert main(line) == 0
    said = " ".join(capsys.readouterr().out.split())  # lines break where a window ends
    assert "180 networks" in said
    assert "chance-1" in said
    found = read_entry(tmp_path / "net" / "net.yaml")
    assert "0.8 ms" in found.about
    rows = json.loads((tmp_path / "net" / "beside.json").read_text())
    assert {"found", "chance-1"} <= set(rows) <= {"found", "likeliest", "chance-1"}
    for row in rows.values():
        errors = row["seeds"]["1"]
        assert 0 <= errors["delta1"] <= 1
        assert 0 <= errors["delta1_scaled"] <= 1
        assert [images for images, _, _ in errors["curve"]] == [4, 8]
        assert errors["curve"][-1] == pytest.approx([8, errors["delta1"], errors["delta1_scaled"]], abs=1e-5)
    assert (tmp_path / "net.png").stat().st_size > 10_000
    assert main(["networks", "show", str(tmp_path / "net" / "net.yaml")]) == 0
    assert main(line) == 0  # Nothing is done again.
    assert json.loads((tmp_path / "net" / "beside.json").read_text()) == rows


def test_two_processes_search_as_one(tmp_path, data):
    (tmp_path / "toy.yaml").write_text(TOY)
    # Adam's first steps hardly depend on a gradient's size: a difference in its last bits may turn one.
    recipe = {**RECIPE, "images": 24, "optimiser": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.0}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))

    def searched(name: str, *launcher: str) -> tuple[dict[str, np.ndarray], dict]:
        line = [sys.executable, *launcher, "-m", "fastdepth_ros.cli", "search", "--target", "tx2-cpu"]
        line += ["--budget-ms", "0.8", "--out", str(tmp_path / name), "--space", str(tmp_path / "toy.yaml")]
        line += ["--recipe", str(tmp_path / "recipe.yaml"), "--data", str(data), "--name", "net"]
        done = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.count("by the table;") == 1  # the first process alone tells
        assert (tmp_path / name / "net.yaml").is_file()
        return read_arrays(tmp_path / name / STATE)[0], json.loads((tmp_path / name / LOG).read_text())

    (one, told), (two, told_too) = (
        searched("one"),
        searched("two", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    )
    assert one.keys() == two.keys()
    for name, value in one.items():
        if value.dtype.kind == "f":
            assert np.abs(two[name] - value).mean() <= 0.02 * np.abs(value).mean() + 1e-4, name
    for row, other in zip(told["rows"], told_too["rows"], strict=True):
        assert row["step"] == other["step"]
        assert row["loss"] == pytest.approx(other["loss"], rel=0.02)
    assert told["rows"][-1]["expected_ms"] == pytest.approx(told_too["rows"][-1]["expected_ms"], rel=0.01)
