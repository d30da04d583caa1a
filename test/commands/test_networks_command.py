"""``fastdepth networks``: lists and shows, as text, as JSON and as a picture."""

import json

import cv2
import numpy as np
import pytest

from fastdepth_ros.cli import main
from fastdepth_ros.network.entries import names


def test_list_has_a_line_for_each_network(capsys):
    assert main(["networks", "list"]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(names())


def test_list_as_json_has_sources(capsys):
    assert main(["networks", "list", "--json"]) == 0
    told = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert told["fastdepth-pruned"]["weights"] == 1_343_664
    assert all(each["source"] for each in told.values())


def test_show_has_every_layer_and_the_sum(capsys):
    assert main(["networks", "show", "fastdepth-pruned"]) == 0
    said = capsys.readouterr().out
    assert "decode_conv2.add" in said
    assert "1,343,664  366.39" in said
    assert main(["networks", "show", "litedepth", "--width", "320", "--height", "256", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["layers"][-1]["width"] == 80
    assert told["graph"]["name"] == "litedepth"


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_show_draws(tmp_path, suffix, capsys):
    path = tmp_path / f"network.{suffix}"
    assert main(["networks", "show", "resnet-18-upproj", "--plot", str(path), "--beside", "resnet-50-upproj"]) == 0
    assert "resnet-18-upproj" in capsys.readouterr().out
    if suffix == "png":
        assert cv2.imread(str(path)).std() > 5
    else:
        assert "<svg" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["show"], "No network is named"),
        (["show", "vgg"], "'vgg' is no network"),
        (["show", "litedepth", "--plot", "a.txt"], "--plot cannot be a.txt"),
        (["show", "litedepth", "--width", "0"], "1 to 8192 are allowed"),
        (["show", "litedepth", "--width", "161"], "nearest that it can take is 160x128"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(line, said, capsys):
    assert main(["networks", *line]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize("how", ["no archive", "damaged", "no numbers"])
def test_weights_that_cannot_be_read_are_named(tmp_path, capsys, how):
    file = tmp_path / "weights.npz"
    np.savez_compressed(file, a=np.array(["words"]) if how == "no numbers" else np.arange(1000.0))
    content = bytearray(file.read_bytes())
    if how == "no archive":
        content[-22:] = b""
    elif how == "damaged":
        content[60] ^= 255
    file.write_bytes(content)
    line = ["compile", "--network", "litedepth", "--weights", str(file), "--out", str(tmp_path / "module")]
    assert main(line) == 2
    words = capsys.readouterr().err
    assert f"{file} cannot be read as a NumPy archive" in words
    assert len(words.strip().splitlines()) == 1
