"""`fastdepth infer`: what a user finds in the folder afterwards."""

import cv2
import numpy as np
import pytest
from jpegs import jpeg

from fastdepth_ros.cli import main


@pytest.fixture
def picture(tmp_path):
    rng = np.random.default_rng(0)
    file = tmp_path / "room.png"
    cv2.imwrite(str(file), cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (320, 240)))
    return file


def infer(module, bundle, tmp_path, *arguments):
    assert module  # compiled, so that the command finds it in the cache
    return main(["infer", "--model", str(bundle.path), "--out", str(tmp_path / "out"), *map(str, arguments)])


def test_a_picture_becomes_depth_colours_and_points(module, bundle, picture, tmp_path, capsys):
    assert infer(module, bundle, tmp_path, picture, "--focal", 300) == 0
    out = tmp_path / "out"
    metres = np.load(out / "room.depth.npy")
    millimetres = cv2.imread(str(out / "room.depth.png"), cv2.IMREAD_UNCHANGED)
    assert metres.shape == millimetres.shape == (240, 320)
    assert millimetres.dtype == np.uint16
    seen = np.isfinite(metres)
    assert seen.any()
    np.testing.assert_allclose(millimetres[seen], metres[seen] * 1000, atol=0.51)
    assert not millimetres[~seen].any()
    assert cv2.imread(str(out / "room.colour.png")).shape == (240, 320, 3)
    header, points = (out / "room.ply").read_bytes().split(b"end_header\n")
    count = int(header.split(b"element vertex ")[1].split()[0])
    assert len(points) == count * 15
    xyz = np.frombuffer(points, np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)]))["xyz"]
    np.testing.assert_allclose(sorted(set(xyz[:, 2])), sorted(set(metres[::4, ::4][seen[::4, ::4]])))
    assert "room.png" in capsys.readouterr().out


def test_native_depth_has_the_networks_size(module, bundle, picture, tmp_path):
    assert infer(module, bundle, tmp_path, picture, "--output-size", "native") == 0
    assert np.load(tmp_path / "out" / "room.depth.npy").shape == (224, 224)


def test_one_bad_picture_does_not_stop_the_others(module, bundle, picture, tmp_path, capsys):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no jpeg")
    assert infer(module, bundle, tmp_path, broken, tmp_path / "missing.jpg", picture) == 1
    assert (tmp_path / "out" / "room.depth.png").is_file()
    said = capsys.readouterr().err
    assert "broken.jpg is no picture" in said
    assert "missing.jpg is no picture" in said


def test_an_orientation_in_the_file_is_ignored_as_in_the_node(module, bundle, tmp_path):
    (tmp_path / "phone.jpg").write_bytes(jpeg(np.zeros((48, 64, 3), np.uint8), orientation=6))
    assert infer(module, bundle, tmp_path, tmp_path / "phone.jpg") == 0
    assert np.load(tmp_path / "out" / "phone.depth.npy").shape == (48, 64)


def test_an_empty_file_and_a_folder_are_no_pictures(module, bundle, picture, tmp_path, capsys):
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    assert infer(module, bundle, tmp_path, tmp_path / "empty.png", tmp_path / "folder.png", picture) == 1
    said = capsys.readouterr().err
    assert "empty.png is no picture" in said
    assert "folder.png is no picture" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--focal", "-1"], "--focal is -1"),
        (["--threads", "999"], "threads is 999"),
        (["--model", "no-such-model"], "there is no model 'no-such-model'"),
        (["--max-depth", "0"], "min_depth < max_depth"),
    ],
)
def test_arguments_that_cannot_be_are_refused_in_one_line(module, bundle, picture, tmp_path, capsys, arguments, says):
    assert infer(module, bundle, tmp_path, picture, *arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_two_pictures_of_one_name_are_not_overwritten(module, bundle, picture, tmp_path, capsys):
    assert infer(module, bundle, tmp_path, picture, picture) == 2
    assert "two pictures are called room" in capsys.readouterr().err
