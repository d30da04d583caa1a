"""`fastdepth eval --loss`: what int8 loses is measured, shown and in the manifest."""

import json
import shutil

import pytest

from fastdepth_ros.cli import main
from fastdepth_ros.runtime.bundle import MANIFEST, Bundle
from fastdepth_ros.runtime.precision import choose, int8_here

pytestmark = pytest.mark.skipif(int8_here() is None, reason="this processor has no kernels for int8")


@pytest.fixture(scope="module")
def pictures(few_rooms, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    few_rooms(folder / "rooms", 3)
    few_rooms(folder / "others", 3, first=3)
    return folder


def test_each_folder_is_a_set_and_auto_goes_by_the_table(bundle, pictures, tmp_path, capsys):
    folder = shutil.copytree(bundle.path, tmp_path / "measured")
    sets = [str(pictures / name) for name in ("rooms", "others")]
    assert main(["eval", str(folder), *sets, "--loss", "int8", "--threads", "1"]) == 0
    measured = Bundle.open(folder)
    table = measured.manifest.losses
    assert table.weights_sha256 == measured.weights_sha256
    assert set(table.sets["int8"]) == {"rooms", "others"}
    for loss in table.sets["int8"].values():
        assert loss.pictures == 3
        assert loss.rmse != 0, "bytes are near float32, and not the same"
        assert abs(loss.delta1) < 0.1
        assert loss.computed_with == int8_here().name
    said = " ".join(capsys.readouterr().out.split())
    assert f"precision auto is {choose(measured).precision} here" in said


def test_a_set_that_is_measured_again_takes_its_own_place(bundle, pictures, tmp_path):
    folder = shutil.copytree(bundle.path, tmp_path / "measured")
    for names in (("rooms", "others"), ("rooms",)):
        sets = [str(pictures / name) for name in names]
        assert main(["eval", str(folder), *sets, "--loss", "int8", "--threads", "1"]) == 0
    rooms = ["eval", str(folder), str(pictures / "rooms"), "--loss", "int8", "--threads", "1", "--last", "0.4"]
    assert main([*rooms, "--view", "whole", "--ignore-camera"]) == 0
    sets = json.loads((folder / MANIFEST).read_text())["precision_losses"]["lost"]["int8"]
    assert list(sets) == ["rooms", "others", "rooms (the last 0.4, whole, without camera)"]
    assert sets["rooms (the last 0.4, whole, without camera)"]["pictures"] == 1
