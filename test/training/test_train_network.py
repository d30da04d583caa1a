"""`fastdepth train --network`: any entry learns from a folder of pictures, and its weights fit its graph."""

import argparse
import json

import numpy as np
import pytest
from pictures import write_pictures

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.cli import main  # noqa: E402
from fastdepth_ros.commands import train, train_network  # noqa: E402
from fastdepth_ros.network.entries import entry, names  # noqa: E402
from fastdepth_ros.runtime.bundle import Bundle  # noqa: E402
from fastdepth_ros.training import checkpoint  # noqa: E402
from fastdepth_ros.training.export import half  # noqa: E402
from fastdepth_ros.training.trainer import CHECKPOINT  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "pictures"
    write_pictures(folder, count=20, known=5)
    return folder


def command(data, out, *more):
    return ["train", "--data", str(data), "--out", str(out), "--threads", "1", "--json", *more]


def trained(capsys, line):
    assert main(line) == 0
    return json.loads(capsys.readouterr().out)


def test_a_network_by_name_learns_by_its_paper_s_method_and_is_compiled_from_what_it_learned(data, tmp_path, capsys):
    line = command(data, tmp_path / "run", "--network", "litedepth", "--images", "64")
    found = trained(capsys, line)
    assert found["finished"]
    assert (found["images"], found["size"], found["learned"], found["held_out"]) == (64, 128, 18, 2)
    assert 0 <= found["delta1"] <= 1
    assert trained(capsys, line) == found, "a run that is done is not done again"
    file = tmp_path / "weights.npz"
    assert main([*line, "--export", str(file)]) == 0
    assert main([*line, "--export", str(tmp_path / "bundle")]) == 0
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.manifest.network == entry("litedepth").graph
    assert (bundle.manifest.input_width, bundle.manifest.input_height) == (160, 128)
    with np.load(file) as arrays:
        entry("litedepth").graph.check_weights(dict(arrays))
        for name, array in bundle.weights().items():
            np.testing.assert_allclose(array, arrays[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", ["litedepth-distilled", "feature-distilled", "pairwise-distilled"])
def test_a_student_learns_from_another_entry(data, tmp_path, capsys, method):
    teacher = tmp_path / "teacher.npz"
    small = ("--size", "64x64", "--images", "32")
    line = command(data, tmp_path / "teacher", "--network", "mobilenetv3-unet", "--method", "short", *small)
    trained(capsys, line)
    assert main([*line, "--export", str(teacher)]) == 0
    asked = ("--teacher", str(teacher), "--teacher-network", "mobilenetv3-unet", "--hints", "conv2=fuse1,conv3=fuse2")
    student = command(data, tmp_path / "student", "--network", "litedepth", "--method", method, *small, *asked)
    capsys.readouterr()
    found = trained(capsys, student)
    assert found["finished"]
    assert found["teacher"] > 0


@pytest.mark.parametrize(("more", "seed"), [((), 1), (("--seed", "0"), 0), (("--seed", "7"), 7)])
def test_a_seed_is_taken_as_it_is(data, tmp_path, more, seed):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    line = command(data, tmp_path / "run", "--network", "litedepth", "--size", "64x64", *more)
    assert train_network.recipe_from(parser.parse_args(line[1:])).seed == seed


def test_a_network_that_is_a_table_becomes_a_bundle(data, tmp_path, capsys):
    line = command(data, tmp_path / "run", "--network", "fastdepth-pruned", "--size", "64x32", "--images", "24")
    assert trained(capsys, [*line, "--seed", "7"])["finished"]
    assert main([*line, "--seed", "7", "--export", str(tmp_path / "bundle")]) == 0
    assert (tmp_path / "bundle" / "manifest.json").is_file()
    assert main(line) == 2
    assert "holds a run of another recipe" in capsys.readouterr().err


def test_weights_that_float16_has_no_room_for_stay_float32():
    large, small = np.array([1e5, 1.0], np.float32), np.array([6e4, 1.0], np.float32)
    assert half(large) is large
    assert half(small).dtype == np.float16


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_entry_learns(data, tmp_path, capsys, name):
    found = trained(
        capsys, command(data, tmp_path, "--network", name, "--method", "short", "--size", "64x64", "--images", "16")
    )
    assert found["finished"]
    assert found["loss"] > 0
    state = checkpoint.load(tmp_path / CHECKPOINT)
    assert all(torch.isfinite(value).all() for value in state["model"].values() if value.is_floating_point())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "either a recipe or --network"),
        (("--network", "litedepht"), "is no network. Near it are litedepth"),
        (("--network", "litedepth", "--size", "100x100"), "The nearest that it can take is 96x96"),
        (("--network", "litedepth", "--size", "big"), "--size is 'big'"),
        (("--network", "litedepth", "--method", "litedepth-distilled"), "asks a teacher"),
        (("--network", "litedepth", "--method", "none"), "there is no method 'none'"),
        (("--network", "litedepth", "--imagenet"), "no weights of ImageNet are known for litedepth"),
        (("--network", "litedepth", "--images", "3"), "images >= batch"),
        (("--network", "litedepth", "--teacher", "none.npz"), "none.npz is in none of"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(data, tmp_path, capsys, more, said):
    assert main(command(data, tmp_path / "run", *more)) == 2
    words = capsys.readouterr().err
    assert said in words
    assert len(words.strip().splitlines()) == 1
