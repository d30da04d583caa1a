"""Bundles are found, or it is said why not."""

import shutil

import pytest

from fastdepth_ros import models
from fastdepth_ros.cli import main
from fastdepth_ros.errors import BundleError
from fastdepth_ros.models import REFERENCE_WEIGHTS, find_bundle, list_bundles, reference_bundle


@pytest.fixture
def prefix(tmp_path, bundle, monkeypatch):
    """An installation whose share folder holds one bundle."""
    shutil.copytree(bundle.path, tmp_path / "share" / "fastdepth_ros" / "models" / "random")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    return tmp_path


def test_an_installed_bundle_is_found_by_its_name(prefix, bundle):
    assert prefix / "share" / "fastdepth_ros" / "models" / "random" in list_bundles()
    assert find_bundle("random").manifest == bundle.manifest


def test_a_bundle_is_found_by_its_folder(bundle):
    assert find_bundle(bundle.path).path == bundle.path


@pytest.mark.usefixtures("prefix")
def test_an_unknown_model_names_those_that_there_are():
    with pytest.raises(BundleError, match="no model 'nothing'.*random.*fastdepth import"):
        find_bundle("nothing")


def test_a_missing_default_becomes_no_other_model(reference, monkeypatch):
    monkeypatch.setenv("FASTDEPTH_REFERENCE", str(reference))
    monkeypatch.setattr(models, "model_folders", list)
    assert find_bundle(models.REFERENCE).manifest.name == models.REFERENCE
    with pytest.raises(BundleError, match=f"no model '{models.DEFAULT}'"):
        find_bundle()


def test_the_reference_weights_become_a_bundle_once(reference, monkeypatch):
    monkeypatch.setenv("FASTDEPTH_REFERENCE", str(reference))
    first = reference_bundle()
    manifest = (first.path / "manifest.json").stat().st_mtime_ns
    assert reference_bundle().path == first.path
    assert (first.path / "manifest.json").stat().st_mtime_ns == manifest


def test_without_reference_weights_the_remedy_names_where_they_go(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTDEPTH_REFERENCE", str(tmp_path))
    with pytest.raises(BundleError, match=str(REFERENCE_WEIGHTS)):
        reference_bundle()


def test_models_list_says_names_whole_in_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert {path.name for path in list_bundles()} >= {"fastdepth-indoor", "fastdepth-nano"}
    assert all(path.name in said for path in list_bundles())


def test_models_list_says_which_bundle_is_not_whole(prefix, capsys):
    assert main(["models", "verify", "random"]) == 0
    weights = prefix / "share" / "fastdepth_ros" / "models" / "random" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert main(["models", "verify"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "altered" in said


@pytest.mark.usefixtures("prefix")
def test_models_show_prints_manifest_and_card(capsys):
    assert main(["models", "show", "random"]) == 0
    said = capsys.readouterr().out
    assert "fastdepth-pruned" in said
    assert "Random weights" in said
