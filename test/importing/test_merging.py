"""One bundle of several: the mean of their weights, told whose it is, and none of bundles that differ."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from small_network import SMALL, random_weights

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.importing.merging import merge
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle

BOUNDS = Manifest("some", SMALL, 32, 32, licence="MIT", trained_on="noise", anchoring={"local": 0.3})


def one(folder, factor, **changed):
    arrays = {name: factor * array for name, array in random_weights(SMALL).items()}
    return write_bundle(folder, replace(BOUNDS, name=folder.name, **changed), arrays, "# Some\n")


def test_it_is_the_mean_of_their_weights_and_says_whose(tmp_path):
    first, other = one(tmp_path / "first", 1), one(tmp_path / "other", 3, licence="BSD", anchoring=None)
    found = merge([first, other], tmp_path / "both")
    for name, array in random_weights(SMALL).items():
        assert found.weights()[name] == pytest.approx(2 * array, rel=1e-3, abs=1e-7), name
    m = found.manifest
    assert m.name == "both"
    assert m.licence == "MIT and BSD"
    assert m.anchoring == {"local": 0.3}
    for each in (first, other):
        assert f"{each.manifest.name} ({each.weights_sha256[:12]}: noise)" in m.trained_on
    assert m.trained_on in found.read("MODEL_CARD.md").decode()
    assert replace(m, name="", licence="", trained_on="", files=None) == replace(
        first.manifest, name="", licence="", trained_on="", files=None
    )


def test_shares_weigh_them(tmp_path, capsys):
    one(tmp_path / "first", 1)
    one(tmp_path / "other", 3)
    folders = [str(tmp_path / "first"), str(tmp_path / "other")]
    assert main(["merge", *folders, "--shares", "3", "1", "--out", str(tmp_path / "most")]) == 0
    most = Bundle.open(tmp_path / "most")
    for name, array in random_weights(SMALL).items():
        assert most.weights()[name] == pytest.approx(1.5 * array, rel=1e-3, abs=1e-7), name
    assert "0.75 of first" in most.manifest.trained_on
    assert most.weights_sha256 in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"input_width": 64}, "input width"),
        ({"training_focal": (30.0, 30.0)}, "training focal"),
        ({"max_depth": 20.0}, "max depth"),
    ],
)
def test_bundles_that_see_otherwise_have_no_mean(changed, word, tmp_path):
    bundles = [one(tmp_path / "first", 1), one(tmp_path / "other", 1, **changed)]
    with pytest.raises(SettingError, match=word):
        merge(bundles, tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_two_networks_have_none(tmp_path):
    first = one(tmp_path / "first", 1)
    wider = replace(SMALL, name="another")
    other = write_bundle(tmp_path / "other", replace(BOUNDS, network=wider), random_weights(wider), "# Other\n")
    with pytest.raises(SettingError, match="differ in their network"):
        merge([first, other], tmp_path / "both")


@pytest.mark.parametrize(
    ("count", "shares", "words"),
    [
        (1, (), "one bundle has no mean"),
        (2, (1.0,), "1 shares are not of 2 bundles"),
        (2, (1.0, -1.0), "shares cannot be"),
        (2, (0.0, 0.0), "shares cannot be"),
        (2, (float("nan"), 1.0), "shares cannot be"),
        (2, (float("inf"), 1.0), "shares cannot be"),
    ],
)
def test_what_cannot_be_is_said(count, shares, words, tmp_path):
    bundles = [one(tmp_path / str(i), 1) for i in range(count)]
    with pytest.raises(SettingError, match=words):
        merge(bundles, tmp_path / "both", shares)


def test_no_bundle_is_replaced(tmp_path):
    bundles = [one(tmp_path / "first", 1), one(tmp_path / "other", 3)]
    with pytest.raises(SettingError, match="holds something already"):
        merge(bundles, tmp_path / "other")
    assert Bundle.open(tmp_path / "other").weights_sha256 == bundles[1].weights_sha256


def test_of_many_bundles_the_manifest_says_as_much_as_it_has_room_for(tmp_path):
    bundles = [one(tmp_path / f"run-{i}", 1, trained_on=700 * "x") for i in range(8)]
    found = merge(bundles, tmp_path / "both")
    assert json.loads((found.path / "manifest.json").read_text())["trained_on"].endswith("...")
    assert all(np.isfinite(array).all() for array in found.weights().values())
