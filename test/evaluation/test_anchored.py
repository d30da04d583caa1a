"""Simulated sensors, and what `fastdepth eval --anchors` says of them."""

import json

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.anchored import CALIBRATION, calibration
from fastdepth_ros.evaluation.sensors import Scene, parse
from fastdepth_ros.models import find_bundle

CAMERA = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)


def floor(height=1.2):
    """A level camera over a floor, in front of a wall at 4 m."""
    rows = (np.arange(224, dtype=np.float32)[:, None] - CAMERA.cy) / CAMERA.fy
    with np.errstate(divide="ignore"):
        truth = np.where(rows > 0, height / rows, np.inf)
    truth = np.repeat(np.minimum(truth, 4.0), 224, axis=1).astype(np.float32)
    picture = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    return Scene(truth, cv2.blur(picture, (5, 5)), CAMERA)


@pytest.mark.parametrize("name", ["vo:150", "uniform:200", "tof:8x8", "lidar", "range", "range:5", "floor:1.2"])
def test_a_sensor_measures_the_same_for_the_same_seed(name):
    (sensor,) = parse(name)
    one, again, other = (sensor.anchors(floor(), seed, 3) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.depths, again.depths)
    np.testing.assert_array_equal(one.pixels, again.pixels)
    assert len(one.depths) > 0
    assert (
        name in ("range", "range:5", "lidar", "floor:1.2")
        or not np.array_equal(one.pixels, other.pixels)
        or name == "tof:8x8"
    )


def test_odometry_is_as_bad_as_it_is_meant_to_be():
    (sensor,) = parse("vo:300")
    scene = floor()
    errors = []
    for seed in range(20):
        points = sensor.anchors(scene, seed, 0)
        x, y = points.pixels.astype(int).T
        errors.append(np.log(points.depths / scene.truth[y, x]))
    sizes = np.abs(np.concatenate(errors))
    assert 0.06 < np.quantile(sizes, 0.68) < 0.16
    assert 0.02 < (sizes > 0.5).mean() < 0.12


def test_a_ranger_is_exact_unless_it_is_asked_to_err():
    exact, noisy = parse("range,range:5")
    truth = np.full((224, 224), 3.0, np.float32)
    said = {
        each.name: [each.anchors(floor()._replace(truth=truth), 0, i).depths[0] for i in range(300)]
        for each in (exact, noisy)
    }
    assert set(said["range"]) == {3.0}
    errors = np.abs(np.log(np.array(said["range:5"]) / 3))
    assert 0.04 < np.quantile(errors, 0.68) < 0.07
    assert 0.04 < (errors > 0.2).mean() < 0.13


def test_a_time_of_flight_chip_sees_no_farther_than_it_reaches():
    (sensor,) = parse("tof:8x8")
    far = floor()._replace(truth=np.full((224, 224), 5.0, np.float32))
    assert len(sensor.anchors(far, 0, 0).depths) == 0
    assert len(sensor.anchors(far._replace(truth=far.truth / 2), 0, 0).depths) == 64


def test_the_floor_is_measured_where_it_is_and_by_the_height_that_is_told():
    scene = floor(1.2)
    points = parse("floor:1.2")[0].anchors(scene, 0, 0)
    x, y = points.pixels.astype(int).T
    np.testing.assert_allclose(points.depths, scene.truth[y, x], rtol=0.04)
    assert (y > 112).all()
    higher = parse("floor:1.32")[0].anchors(scene, 0, 0)
    assert np.median(higher.depths) == pytest.approx(1.1 * np.median(points.depths), rel=0.1)
    assert len(parse("floor:0.4")[0].anchors(scene, 0, 0).depths) == 0
    assert len(parse("floor:1.2")[0].anchors(scene._replace(camera=None), 0, 0).depths) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "vo",
        "vo:0",
        "vo:-3",
        "vo:²",
        "uniform:x",
        "tof:4x4",
        "sonar",
        "floor:",
        "floor:-1",
        "range:",
        "range:0",
        "range:51",
    ],
)
def test_a_sensor_that_is_not_known_is_refused_with_those_that_are(wrong):
    with pytest.raises(SettingError) as refused:
        parse(f"range,{wrong}")
    assert "vo:N" in refused.value.remedy


def test_calibration_of_errors_that_are_what_sigma_says():
    rng = np.random.default_rng(0)
    truth = np.full((200, 200), 3.0)
    sigma = rng.uniform(0.05, 0.6, truth.shape)
    told = calibration(truth + sigma * rng.standard_normal(truth.shape), sigma, truth)
    assert told["within_1_sigma"] == pytest.approx(0.683, abs=0.01)
    assert told["within_2_sigma"] == pytest.approx(0.954, abs=0.01)
    assert told["least_sure_quarter"] > 0.5


def test_eval_shows_alone_and_anchored_side_by_side(tmp_path, few_rooms, capsys):
    few_rooms(tmp_path / "rooms", 4)
    out, page = tmp_path / "numbers.json", tmp_path / "sheet.png"
    bundle = str(find_bundle("fastdepth-indoor").path)
    arguments = ["--anchors", "uniform:200|range", "--seeds", "2", "--json", str(out), "--sheet", str(page)]
    assert main(["eval", bundle, str(tmp_path / "rooms"), "--threads", "1", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "uniform:200" in shown
    anchored = json.loads(out.read_text())["anchored"]
    assert set(anchored) == {"alone", "uniform:200", "range"}
    assert anchored["uniform:200"]["delta1"] > anchored["alone"]["delta1"] + 0.05
    assert anchored["alone"]["delta1"] == pytest.approx(json.loads(out.read_text())["delta1"], abs=1e-6)
    assert all(0 <= anchored["range"][name] <= 1 for name in CALIBRATION)
    assert page.stat().st_size > 10_000
