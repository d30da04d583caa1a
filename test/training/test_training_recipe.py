"""Recipes: the shipped ones are read, and a wrong one says what is wrong with it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import SettingError  # noqa: E402
from fastdepth_ros.training import optimising, recipe  # noqa: E402

RECIPES = Path(recipe.__file__).parent / "recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_is_read(path: Path) -> None:
    found = recipe.read_recipe(path)
    assert found.name == path.stem
    # Many steps, or fewer of larger batches.
    assert found.steps > 1_000 or sum(phase.steps * phase.batch for phase in found.phases) > 10_000


def good() -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load((RECIPES / "distill.yaml").read_text()))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda text: text.pop("phases"), "phases is missing"),
        (lambda text: text.update(colour="red"), "colour is unknown"),
        (lambda text: text.update(seed=-1), "seed is -1"),
        (lambda text: text.update(network="vgg"), "'vgg' is no network"),
        (lambda text: text["phases"][0].update(size=100), "size=100"),
        (lambda text: text["phases"][0].update(rate="1e-3"), "'1e-3' is no float"),
        (lambda text: text["loss"].update(truth=-1), "negative weight"),
        (lambda text: text["optimiser"].update(name="lion"), "'lion'"),
        (lambda text: text["teacher"].update(hints=["conv99"]), "conv99"),
        (lambda text: text.pop("teacher"), "none is named"),
        (lambda text: text["data"].update(files=[]), "data.files is empty"),
        (lambda text: text["data"].update(shares={"nyuv2-labeled-train": 1.5}), "shares"),
        (lambda text: text.update(average=1.0), "average is 1.0"),
        (lambda text: text["phases"][1].update(shares={"nyuv2-labeled-train": -0.5}), "shares"),
        (lambda text: text["phases"][1].update(augment={"exposure": -1.0}), "exposure=-1.0"),
        (lambda text: text["phases"][1].update(loss={"truth": -1.0}), "negative weight"),
        (lambda text: text.update(data=[1]), "no mapping"),
        (lambda text: text["phases"][0].update(decay="linear"), "decay is 'linear'"),
        (lambda text: text["augment"].update(crops=[{"width": 641, "height": 480}]), "crops beyond the picture"),
        (lambda text: text["augment"].update(mix=1.5), "mix is 1.5"),
        (lambda text: (text.pop("teacher"), text.update(loss={}), text["augment"].update(mix=0.5)), "only a teacher"),
        (lambda text: (text.update(network="litedepth"), text["phases"][0].update(size=100)), "cannot take a picture"),
        (lambda text: text.update(network="litedepth"), "teacher.hints names conv5"),
        (lambda text: text.update(start={"path": "lite0.pth"}), "start cannot be put into fastdepth-pruned"),
        (lambda text: text["teacher"].update(hints=[]), "teacher.hints names none"),
        (lambda text: text["phases"][0].update(rate=float("nan")), "rate: nan is out of range"),
        (lambda text: text["loss"].update(truth=10**400), "is out of range"),
        (lambda text: text["loss"].update(form=1.0), "start names no weights"),
        (lambda text: text["phases"][0].update(layers=["conv1", "cov2"]), "layers names 'cov2'"),
        (lambda text: text["data"].update(factor=0.0), "factor"),
        (lambda text: text["teacher"].update(factor=-1.0), "factor"),
    ],
)
def test_a_wrong_recipe_names_what_is_wrong(change: Any, cause: str) -> None:
    text = good()
    change(text)
    with pytest.raises(SettingError, match=cause):
        recipe.parse_recipe(text, "recipe.yaml")


def test_the_rate_rises_then_falls_along_a_half_cosine() -> None:
    phase = recipe.Phase(images=1000, size=224, batch=10, rate=1.0, end_rate=0.1, warmup=100)
    rates = [optimising.learning_rate(phase, step) for step in range(100)]
    assert rates[0] == pytest.approx(10 / 110)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[50] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("done", "change", "may"),
    [
        (50, {}, True),
        (50, {"images": 2000}, False),
        (50, {"stop": 600}, True),
        (50, {"stop": 400}, False),
        (150, {"stop": 600}, False),
        (150, {}, True),
    ],
)
def test_a_run_goes_on_by_a_recipe_that_says_the_same_of_what_was_done(done: int, change: Any, may: bool) -> None:
    first = {"images": 1000, "size": 128, "batch": 10, "rate": 1.0e-2, "end_rate": 1.0e-3}
    second = {**first, "size": 224}
    begun = recipe.parse_recipe({**good(), "phases": [first, second]}, "begun")
    then = recipe.parse_recipe({**good(), "phases": [{**first, **change}, second, second]}, "then")
    assert recipe.continues(recipe.fingerprint(begun), then, done) is may


def test_a_run_goes_on_where_later_phases_have_settings_and_data_of_their_own() -> None:
    text = good()
    text["phases"][-1]["shares"] = {"nyuv2-labeled-train": 0.3}
    begun = recipe.parse_recipe(copy.deepcopy(text), "begun")
    text["phases"][-1]["shares"]["rooms"] = 0.0
    text["data"]["files"].append({"path": "rooms"})
    text["data"]["shares"]["rooms"] = 0.0
    own = {"shares": {"rooms": 0.5}, "loss": {"gradient": 1.0}, "augment": {"light": 2.0}}
    text["phases"].append({"images": 800, "size": 224, "batch": 8, "rate": 1.0e-3, "end_rate": 0.0, **own})
    then = recipe.parse_recipe(text, "then")
    assert recipe.continues(recipe.fingerprint(begun), then, begun.steps)
    last = then.phases[-1]
    assert then.shares_in(last) == {"rooms": 0.5}
    assert then.loss_in(last) == recipe.Loss(gradient=1.0)
    assert then.augment_in(last).light == 2.0
    assert then.augment_in(then.phases[0]) == begun.augment
    text["data"]["shares"]["rooms"] = 0.1  # now the phases that are done would have seen them
    assert not recipe.continues(recipe.fingerprint(begun), recipe.parse_recipe(text, "other"), begun.steps)


def test_a_run_of_before_there_were_factors_and_layers_goes_on() -> None:
    begun = json.loads(recipe.fingerprint(recipe.parse_recipe(good(), "begun")))
    for holder, word in ((begun["data"], "factor"), (begun["teacher"], "factor"), (begun["phases"][0], "layers")):
        del holder[word]
    assert recipe.continues(json.dumps(begun), recipe.parse_recipe(good(), "then"), 10)
    other = good()
    other["phases"][0]["layers"] = ["conv13"]
    assert not recipe.continues(json.dumps(begun), recipe.parse_recipe(other, "then"), 10)


def test_a_phase_that_is_stopped_keeps_its_rates() -> None:
    whole = recipe.Phase(images=1000, size=224, batch=10, rate=1.0, end_rate=0.1)
    short = recipe.Phase(images=1000, size=224, batch=10, rate=1.0, end_rate=0.1, stop=500)
    assert (whole.steps, short.steps) == (100, 50)
    assert optimising.learning_rate(short, 49) == optimising.learning_rate(whole, 49)


@pytest.mark.parametrize(
    "words",
    [b"\xff\xfe\x00", b"name: 2026-13-99", b"[" * 5000, b"a: &a {}\nb: {<<: *a}", b"name: " + b"9" * 5000, b"[a]: 1"],
    ids=["no UTF-8", "no date", "deep", "merge", "digits", "key"],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, words: bytes) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(words)
    with pytest.raises(SettingError, match=r"recipe\.yaml"):
        recipe.read_recipe(file)
