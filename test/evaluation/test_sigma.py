"""How sure a bundle says it is, fitted to pictures."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_network import small_bundle

from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import sigma
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.sensors import parse
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.losses import Loss, Losses

SIDE, CELLS = 64, (32, 32)


def outcomes(count, deviation, seed=0):
    """Pictures of slopes, each answered by a scale of its own [log m]."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        truth = np.linspace(1, 4, SIDE, dtype=np.float32)[:, None].repeat(SIDE, 1) * np.float32(rng.uniform(0.8, 1.5))
        answer = truth * np.float32(math.exp(deviation * rng.normal()))
        pixels = rng.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
        found.append(Outcome(f"{number}", {}, {}, pixels, answer, truth, 0.0))
    return found


@pytest.mark.parametrize("deviation", [0.05, 0.5])
def test_as_many_errors_as_a_gaussian_has_lie_within_one_sigma_then(deviation):
    pictures, prior = outcomes(60, deviation), Prior()
    before = sigma.shares(pictures, prior, CELLS, None)
    assert abs(before.one - sigma.WANTED) > 0.1
    found = sigma.fit(pictures, prior, CELLS, [])
    assert sigma.shares(pictures, found, CELLS, None).one == pytest.approx(sigma.WANTED, abs=0.03)
    assert found == replace(prior, alone=found.alone)


def test_with_measured_depths_they_do_as_well():
    pictures, (sensor,) = outcomes(20, 0.2), parse("vo:50")
    found = sigma.fit(pictures, Prior(), CELLS, [sensor])
    assert sigma.shares(pictures, found, CELLS, sensor).one == pytest.approx(sigma.WANTED, abs=0.03)


def test_of_many_pictures_some_are_enough(monkeypatch):
    pictures = outcomes(12, 0.3)
    monkeypatch.setattr(sigma, "MOST_PICTURES", 6)
    assert sigma.fit(pictures, Prior(), CELLS, []) == sigma.fit(pictures[::2], Prior(), CELLS, [])


def test_a_recording_of_an_hour_is_kept_in_part(monkeypatch):
    monkeypatch.setattr(sigma, "MOST_PICTURES", 6)
    few = sigma.Few()
    for outcome in outcomes(30, 0.3):
        few.keep(outcome)
        assert len(few.kept) <= 12
    assert [int(outcome.name) for outcome in few.kept] == list(range(0, 30, 4))


def test_a_handful_of_pictures_is_refused():
    with pytest.raises(SettingError, match="4 pictures say little"):
        sigma.fit(outcomes(4, 0.3), Prior(), CELLS, [])


def test_what_was_fitted_is_in_the_manifest_and_all_else_as_before(tmp_path):
    bundle = small_bundle(tmp_path)
    losses = Losses(bundle.weights_sha256, {}).with_loss("int8", "rooms", Loss(3, 0.001, 0.01, "vnni"))
    bundle = replace(bundle, manifest=replace(bundle.manifest, losses=losses))
    written = sigma.write(bundle, replace(Prior(), alone=0.7, anchored=1.1))
    assert Bundle.open(bundle.path) == written
    prior = Prior.of(written.manifest)
    assert (prior.alone, prior.anchored, prior.local) == (0.7, 1.1, Prior().local)
    assert replace(written.manifest, anchoring=None, files=None) == replace(bundle.manifest, files=None)


def test_the_command_fits_writes_and_shows(bundle, few_rooms, tmp_path, capsys):
    folder, pictures = shutil.copytree(bundle.path, tmp_path / "measured"), few_rooms(tmp_path / "rooms", 6)
    before = Prior.of(bundle.manifest)
    asked = ["eval", str(folder), str(pictures), "--sigma", "--anchors", "vo:50", "--threads", "1"]
    assert main(asked) == 0
    after = Prior.of(Bundle.open(folder).manifest)
    assert replace(after, alone=before.alone, anchored=before.anchored) == before
    assert (after.alone, after.anchored) != (before.alone, before.anchored)
    said = " ".join(capsys.readouterr().out.split())
    assert f"alone {before.alone:g} -> {after.alone:g}, anchored {before.anchored:g} -> {after.anchored:g}" in said
    assert "vo:50" in said
    assert Bundle.open(folder).manifest.losses == bundle.manifest.losses


def test_what_cannot_be_fitted_leaves_the_bundle_as_it_was(bundle, few_rooms, tmp_path, capsys):
    folder, pictures = shutil.copytree(bundle.path, tmp_path / "measured"), few_rooms(tmp_path / "rooms", 3)
    for more in (["--threads", "1"], ["--loss", "int8"]):
        assert main(["eval", str(folder), str(pictures), "--sigma", *more]) != 0
    said = capsys.readouterr().err
    assert "3 pictures say little" in said
    assert "--loss and --sigma" in said
    assert Bundle.open(folder).manifest == bundle.manifest
