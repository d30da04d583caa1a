"""What `fastdepth eval --steadiness` says of flicker, of edges, and of their delay."""

import json

import cv2
import numpy as np
import pytest
from flicker import errors

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.steadied import MEASURES, SteadyStudy, near_edges
from fastdepth_ros.models import find_bundle
from fastdepth_ros.settings import LIMITS

WORLD = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (224, 500, 3), np.uint8), (0, 0), 3)
WORLD = np.asarray(cv2.normalize(WORLD, None, 20, 235, cv2.NORM_MINMAX), np.uint8)
BOXES = cv2.blur(np.where(np.arange(500)[None, :] // 60 % 2, 3.0, 1.5).repeat(224, 0), (9, 1)).astype(np.float32)


def outcomes(count, late=0, noise=0.04, step=4):
    """A pan over boxes in front of a wall, whose answers show what was seen ``late`` frames ago."""
    rng = np.random.default_rng(0)
    for number in range(count):
        left, then = step * number, step * max(0, number - late)
        truth, answer = (np.ascontiguousarray(BOXES[:, at : at + 224]) for at in (left, then))
        cells = answer[::2, ::2] * np.exp(errors(rng, noise))
        answer = cells.repeat(2, 0).repeat(2, 1)
        yield Outcome(str(number), {}, {}, np.ascontiguousarray(WORLD[:, left : left + 224]), answer, truth, 0.01)


def study(frames, steadiness):
    steady = SteadyStudy((112, 112), steadiness)
    for outcome in frames:
        steady.look(outcome)
    return steady.summary()


def test_a_pan_flickers_less_and_its_edges_stay_where_they_are():
    summary = study(outcomes(30), 0.5)
    assert set(summary["alone"]) == set(MEASURES)
    alone, steady = summary["alone"], summary["steady"]
    assert steady["flicker"] < 0.75 * alone["flicker"]
    assert steady["rmse_m"] < alone["rmse_m"]
    assert abs(alone["edges_late"]) < 0.2
    assert abs(steady["edges_late"]) < 0.5


@pytest.mark.parametrize("late", [1, 2])
def test_answers_that_are_late_are_found_to_be(late):
    summary = study(outcomes(30, late=late), 0.5)
    assert abs(summary["alone"]["edges_late"] - late) < 0.2


def test_a_recording_too_short_to_tell_has_no_delay():
    summary = study(outcomes(3), 0.5)
    assert np.isnan(summary["alone"]["edges_late"])
    assert np.isfinite(summary["steady"]["flicker"])


def test_cells_near_an_edge_are_those_around_a_step():
    truth = np.full((20, 20), 2.0, np.float32)
    truth[:, 10:] = 3.0
    near = near_edges(truth)
    assert near.all(0).tolist() == [7 <= column <= 12 for column in range(20)]
    assert not near_edges(np.full((20, 20), np.nan, np.float32)).any()


def test_a_steadiness_that_is_none_is_refused():
    with pytest.raises(SettingError, match="0 to 1"):
        LIMITS["steadiness"].check("--steadiness", 2.0)


def test_eval_shows_alone_and_steadied_side_by_side(tmp_path, few_rooms, capsys):
    few_rooms(tmp_path / "rooms", 2)
    out = tmp_path / "numbers.json"
    arguments = ["--steadiness", "0.5", "--threads", "1", "--json", str(out)]
    assert main(["eval", str(find_bundle("fastdepth-indoor").path), str(tmp_path / "rooms"), *arguments]) == 0
    assert "steadiness 0.5" in capsys.readouterr().out
    numbers = json.loads(out.read_text())
    assert set(numbers["steadied"]) == {"alone", "steady"}
    assert numbers["steadied"]["steady"]["delta1"] == pytest.approx(numbers["delta1"], abs=0.01)
    assert main(["eval", "fastdepth-indoor", str(tmp_path / "rooms"), "--steadiness", "2"]) != 0
    assert "0 to 1" in capsys.readouterr().err
