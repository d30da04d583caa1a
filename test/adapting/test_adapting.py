"""A bundle that learns a place: better there, no worse elsewhere, or not written at all."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_weights import random_weights
from recorded import FOCAL, HEIGHT, START, WIDTH, calibrated, cloud, picture, write

from fastdepth_ros.adapting.line import between, farthest
from fastdepth_ros.adapting.place import FEWEST_FRAMES, SHORT_SIDE, place_of, small, thinned
from fastdepth_ros.adapting.rehearsal import HELD, rehearsal
from fastdepth_ros.adapting.tint import tinted
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.network import Network
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle

TOY = Network("toy", (4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8), (8, 8, 8, 8, 8))


def write_place(folder: Path, count: int, farther: float = 1.0, seed: int = 0) -> Path:
    """Pictures in which what is brighter is farther, and their depth."""
    folder.mkdir()
    for i in range(count):
        rough = np.random.default_rng([seed, i]).uniform(1.0, 4.0, (3, 4)).astype(np.float32)
        depth = cv2.resize(rough, (160, 120), interpolation=cv2.INTER_CUBIC).clip(0.5, 5.0)
        cv2.imwrite(f"{folder / f'frame{i:03d}'}.png", np.dstack([(depth * 50).astype(np.uint8)] * 3))
        cv2.imwrite(f"{folder / f'frame{i:03d}'}.depth.png", (depth * farther * 1000).astype(np.uint16))
        (folder / f"frame{i:03d}.json").write_text(json.dumps({"set": folder.name, "source": f"{i}.png"}))
    return folder


@pytest.fixture
def toy(tmp_path) -> Path:
    """A bundle of a small network that answers some metres."""
    arrays = random_weights(TOY)
    arrays["decode_conv6.bias"][:] = 1.5
    manifest = Manifest("toy", TOY, input_width=64, input_height=64, training_focal=(57.0, 76.0))
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    return write_bundle(tmp_path / "toy", manifest, halves, "# Toy\n").path


def test_the_last_frames_of_each_recording_are_held_back(tmp_path):
    one, other = write_place(tmp_path / "one", 10), write_place(tmp_path / "other", 20, seed=1)
    place = place_of([one, other], 0.2)
    assert (len(place.learned), len(place.held)) == (24, 6)
    last = cv2.imread(str(one / "frame009.png"))
    assert np.array_equal(place.held[1].pixels, last)


@pytest.mark.parametrize(
    ("count", "kept"), [(3, [0, 1, 2]), (4, [0, 1, 2, 3]), (5, [0, 2, 4]), (9, [0, 4, 8]), (17, [0, 8, 16])]
)
def test_of_a_long_recording_frames_at_equal_distances_are_kept(monkeypatch, count, kept):
    monkeypatch.setattr("fastdepth_ros.adapting.place.MOST_FRAMES", 4)
    assert thinned(range(count)) == kept


def test_of_several_long_recordings_no_more_are_kept_than_of_one(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdepth_ros.adapting.place.MOST_FRAMES", 8)
    one, other = write_place(tmp_path / "one", 8), write_place(tmp_path / "other", 8, seed=1)
    found = place_of([one, other], 0.25)
    assert (len(found.learned), len(found.held)) == (6, 4)


def test_a_frame_is_made_small_with_its_camera():
    frame = Frame(
        np.zeros((480, 640, 3), np.uint8), np.ones((480, 640), np.float32), Intrinsics(640, 480, 500, 500, 320, 240)
    )
    found = small(frame)
    assert min(found.pixels.shape[:2]) == SHORT_SIDE
    assert found.depth.shape == found.pixels.shape[:2]
    assert found.camera.fx == pytest.approx(500 * SHORT_SIDE / 480, rel=0.01)
    assert small(found) is found


@pytest.mark.parametrize(("count", "held"), [(FEWEST_FRAMES - 1, 0.1), (10, 0.0), (10, 1.0), (10, 0.99)])
def test_a_place_of_too_few_frames_is_refused(tmp_path, count, held):
    with pytest.raises(SettingError):
        place_of([write_place(tmp_path / "one", count)], held)


def test_a_room_in_six_is_not_rehearsed(tmp_path):
    folder = write_place(tmp_path / "rooms", 5 * HELD)
    learned, strange = rehearsal(folder, print)
    assert (len(learned), len(strange)) == (4 * HELD, HELD)
    with pytest.raises(SettingError):
        rehearsal(write_place(tmp_path / "one", 1), print)


def test_photographs_without_depth_are_rehearsed_beside_the_rooms_and_some_judge(tmp_path):
    rooms, photos = write_place(tmp_path / "rooms", 2 * HELD), tmp_path / "photos"
    photos.mkdir()
    for number in range(2 * HELD):
        cv2.imwrite(str(photos / f"{number:02d}.jpg"), np.full((120, 160, 3), 40 + 10 * number, np.uint8))
    learned, strange = rehearsal(rooms, print, [photos])
    assert [sum(frame.depth is None for frame in frames) for frames in (learned, strange)] == [2 * HELD - HELD, HELD]
    assert [sum(frame.depth is not None for frame in frames) for frames in (learned, strange)] == [HELD, HELD]


def test_a_picture_gets_the_colours_of_another():
    rng = np.random.default_rng(0)
    bluish = np.clip(rng.normal((60, 80, 160), 12, (40, 50, 3)), 0, 255).astype(np.uint8)
    plain = np.clip(rng.normal(120, 20, (30, 40, 3)), 0, 255).astype(np.uint8)
    found = tinted(plain, bluish)
    assert found.shape == plain.shape
    assert found.mean((0, 1)) == pytest.approx(bluish.mean((0, 1)), abs=1.5)
    assert found.std((0, 1)) == pytest.approx(bluish.std((0, 1)), abs=1.5)
    flat = tinted(np.full((4, 4, 3), 7, np.uint8), bluish)
    assert flat.std() < 60, "what is of one colour stays so"


def test_weights_lie_on_the_line_between_those_before_and_those_after():
    one, two = {"a": np.zeros(3, np.float32)}, {"a": np.ones(3, np.float16)}
    assert between(one, two, 0.25)["a"] == pytest.approx([0.25] * 3)
    assert between(one, two, 1.0)["a"].dtype == np.float16


@pytest.mark.parametrize(("most", "share"), [(1.0, 1.0), (0.5, 0.5), (0.46, 0.45), (0.01, 0.0)])
def test_the_way_ends_where_more_would_be_forgotten(most, share):
    one, two = {"a": np.zeros(1, np.float32)}, {"a": np.ones(1, np.float32)}
    found, arrays = farthest(one, two, lambda arrays: float(arrays["a"][0]) ** 1.0, most)
    assert found == pytest.approx(share)
    assert arrays["a"] == pytest.approx([share], abs=1e-3)


def grey_of(shown: np.ndarray) -> np.ndarray:
    return np.dstack([(shown * 50).astype(np.uint8)] * 3)


def recorded(measured: Callable[[np.ndarray], np.ndarray]) -> list[tuple[str, object]]:
    """Pictures in which what is brighter is farther, and points with the depths that are measured there."""
    rows: list[tuple[str, object]] = [("/cam/camera_info", calibrated())]
    for i in range(20):
        rng, stamp = np.random.default_rng([0, i]), START + i * 10**8
        rough = rng.uniform(1.0, 4.0, (3, 4)).astype(np.float32)
        shown = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0.5, 5.0)
        u, v = rng.integers(0, WIDTH, 80), rng.integers(0, HEIGHT, 80)
        depth = measured(shown)[v, u] * np.exp(rng.normal(0, 0.04, 80))
        xyz = np.stack(((u - 80) / FOCAL * depth, (v - 60) / FOCAL * depth, depth), 1)
        rows += [("/cam/image_raw", picture(stamp, grey_of(shown))), ("/slam/map", cloud(stamp, xyz.tolist()))]
    return rows


def adapted(tmp_path: Path, toy: Path, *more: str) -> int:
    place, rooms = tmp_path / "place", tmp_path / "rooms"
    if not place.exists():
        write_place(place, 20, farther=1.5)
        write_place(rooms, 24, seed=5)
    line = ["adapt", str(place), "--bundle", str(toy), "--rehearsal", str(rooms), "--out", str(tmp_path / "mine")]
    return main([*line, "--layers", "all", "--rehearse", "0.5", "--threads", "1", *more])


def test_a_bundle_is_better_at_its_place_and_keeps_what_it_is(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    assert adapted(tmp_path, toy, "--images", "480", "--rate", "5e-3", "--drift", "9") == 0
    said = capsys.readouterr().out
    assert "18 frames to learn from, 2 held back, 18 rehearsed" in said
    assert "100 % of the way" in said
    found, before = Bundle.open(tmp_path / "mine"), Bundle.open(toy)
    assert found.manifest.network == before.manifest.network
    assert found.manifest.training_focal == before.manifest.training_focal
    assert "adapted to place: 480 views" in found.manifest.trained_on
    assert not np.array_equal(found.weights()["conv0.weight"], before.weights()["conv0.weight"])
    first = found.weights_sha256
    assert adapted(tmp_path, toy, "--images", "480", "--rate", "5e-3", "--drift", "9") == 0
    assert Bundle.open(tmp_path / "mine").weights_sha256 == first, "the same seed gives the same weights"


def test_the_mean_of_several_runs_is_of_their_weights(tmp_path, toy):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    line = ("--images", "160", "--rate", "5e-3", "--drift", "9")
    found = []
    for more in (("--seed", "3"), ("--seed", "4"), ("--seed", "3", "--runs", "2")):
        assert adapted(tmp_path, toy, *line, *more) == 0
        found.append(
            {name: array.astype(np.float32) for name, array in Bundle.open(tmp_path / "mine").weights().items()}
        )
    assert "320 views" in Bundle.open(tmp_path / "mine").manifest.trained_on
    one, other, mean = found
    assert any(not np.array_equal(one[name], other[name]) for name in one)
    for name, array in mean.items():
        np.testing.assert_allclose(array, (one[name] + other[name]) / 2, rtol=1e-3, atol=1e-6, err_msg=name)


def test_a_bundle_whose_pictures_are_no_squares_is_adapted_at_its_own_size(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    square = Bundle.open(toy)
    wide = replace(square.manifest, name="wide", input_width=96)
    bundle = write_bundle(tmp_path / "wide", wide, dict(square.weights()), "# Wide\n")
    assert adapted(tmp_path, bundle.path, "--images", "160", "--rate", "5e-3", "--drift", "9") == 0
    assert adapted(tmp_path, bundle.path, "--images", "160", "--rate", "5e-3", "--drift", "9", "--points", "80") == 0
    assert "Measured depths tell" in capsys.readouterr().out
    found = Bundle.open(tmp_path / "mine").manifest
    assert (found.input_width, found.input_height) == (96, 64)


def test_few_depths_of_each_frame_teach_the_place(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    assert adapted(tmp_path, toy, "--images", "480", "--rate", "5e-3", "--drift", "9", "--points", "80") == 0
    said = capsys.readouterr().out
    assert "Measured depths tell" in said
    assert Bundle.open(tmp_path / "mine").manifest.network == TOY


def test_points_of_a_recording_teach_the_place(tmp_path, toy):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    rooms, bag = write_place(tmp_path / "rooms", 24, seed=5), tmp_path / "bag"
    write(bag, *recorded(lambda shown: 1.5 * shown))
    line = ["adapt", str(bag), "--anchors", "--held", "0.3", "--bundle", str(toy), "--rehearsal", str(rooms)]
    line += ["--out", str(tmp_path / "mine"), "--layers", "all", "--rehearse", "0.5", "--threads", "1"]
    assert main([*line, "--images", "480", "--rate", "5e-3", "--drift", "9"]) == 0
    assert "adapted to bag: 480 views" in Bundle.open(tmp_path / "mine").manifest.trained_on


def test_points_that_say_what_the_answers_say_teach_nothing(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    from fastdepth_ros.adapting.judging import answers

    arrays = dict(Bundle.open(toy).weights())
    rooms, bag = write_place(tmp_path / "rooms", 24, seed=5), tmp_path / "bag"

    def right(shown):
        frame = Frame(grey_of(shown), None, Intrinsics(WIDTH, HEIGHT, FOCAL, FOCAL, 80, 60))
        (answer,) = answers(TOY, arrays, [frame], (64, 64))
        return cv2.resize(answer, (WIDTH, HEIGHT))

    write(bag, *recorded(right))
    line = ["adapt", str(bag), "--anchors", "--held", "0.3", "--bundle", str(toy), "--rehearsal", str(rooms)]
    assert main([*line, "--out", str(tmp_path / "mine"), "--threads", "1", "--images", "8"]) == 1
    assert "no bundle is written" in capsys.readouterr().out
    assert not (tmp_path / "mine").exists()


def test_no_bundle_is_written_where_nothing_was_gained(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    assert adapted(tmp_path, toy, "--images", "8", "--rate", "1e-9") == 1
    assert "no bundle is written" in capsys.readouterr().out
    assert not (tmp_path / "mine").exists()


def test_rehearsal_keeps_the_answers_elsewhere(tmp_path, toy):
    torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    from fastdepth_ros.adapting.adapter import ALL, Adapter, Settings
    from fastdepth_ros.adapting.judging import errors

    torch.set_num_threads(1)
    place = place_of([write_place(tmp_path / "place", 20, farther=1.5)], 0.2)
    others = [each for part in [place_of([write_place(tmp_path / "rooms", 24, seed=5)], 0.1)] for each in part.learned]
    before = dict(Bundle.open(toy).weights())
    moved = []
    for weight in (0.0, 4.0):
        settings = Settings(images=320, sides=(64, 64), rate=5e-3, rehearse=weight, layers=ALL)
        after = Adapter(TOY, before, place, others, settings).run()
        here, elsewhere = (
            [errors(TOY, arrays, frames, (64, 64)) for arrays in (before, after)] for frames in (place.held, others)
        )
        assert here[1]["abs_rel"] < here[0]["abs_rel"]
        moved.append(abs(elsewhere[1]["rmse_m"] - elsewhere[0]["rmse_m"]))
    assert moved[1] < moved[0]


def test_answers_elsewhere_move_no_farther_than_they_may(tmp_path, toy, capsys):
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    assert adapted(tmp_path, toy, "--images", "480", "--rate", "5e-3", "--drift", "0.02") == 0
    way, moved, at_the_end = map(float, re.findall(r"([\d.]+) %", capsys.readouterr().out)[:3])
    assert moved <= 2.0 < at_the_end
    assert 0 < way < 100


def test_a_pixel_counts_by_how_sure_its_depth_is():
    pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    from fastdepth_ros.adapting.adapter import SUREST, weight
    from fastdepth_ros.training.augment import TrainingView

    pixels, depth = np.zeros((4, 4, 3), np.uint8), np.array([[2.0, 2.0], [4.0, 0.0]], np.float32)
    sigma = np.array([[0.01, 4 * SUREST], [16 * SUREST, 0.0]], np.float32)
    assert weight(TrainingView(pixels, depth, None, sigma)).tolist() == [[1.0, 0.5], [0.25, 0.0]]
    assert weight(TrainingView(pixels, depth)).tolist() == [[1.0, 1.0], [1.0, 0.0]]
    assert not weight(TrainingView(pixels, None)).any()


def test_drift_is_nought_where_nothing_changed_and_the_scale_where_that_did(tmp_path, toy):
    torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    from fastdepth_ros.adapting.judging import Drift
    from fastdepth_ros.training.augment import Ranges

    torch.set_num_threads(1)
    before = dict(Bundle.open(toy).weights())
    frames = place_of([write_place(tmp_path / "rooms", 10)], 0.2).learned
    drift = Drift(TOY, before, frames, Ranges(), (64, 64))
    assert drift.of(before) == pytest.approx(0.0, abs=1e-5)
    farther = {name: array * (1.1 if name.startswith("decode_conv6") else 1.0) for name, array in before.items()}
    assert drift.of(farther) == pytest.approx(np.log(1.1), rel=0.05)
