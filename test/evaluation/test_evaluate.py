"""A bundle held against pictures whose depth is known: its own answers, so that the error is known too."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.evaluation.evaluate import Options, Outcome, means, run
from fastdepth_ros.evaluation.frames import Labelled, labelled
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule

WIDTH, HEIGHT = 320, 240


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))


def outcomes(engine: Engine, bundle: Bundle, frames: list[Labelled], options: Options) -> list[Outcome]:
    found: list[Outcome] = []
    assert run(engine, bundle.manifest, frames, options, found.append) == len(found)
    return found


@pytest.fixture(scope="module")
def engine(module: CompiledModule) -> Engine:
    return open_engine(module)


def known(seed: int, depth: float, camera: Intrinsics | None = None) -> Labelled:
    return Labelled(f"room{seed}", Frame(picture(seed), np.full((HEIGHT, WIDTH), depth, np.float32), camera))


def test_a_picture_whose_truth_is_the_answer_has_no_error(engine: Engine, bundle: Bundle) -> None:
    (first,) = outcomes(engine, bundle, [known(1, 2.0)], Options("whole"))
    truth = cv2.resize(np.nan_to_num(first.answer), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST_EXACT)
    again = Labelled("again", Frame(picture(1), truth, None))
    (second,) = outcomes(engine, bundle, [again], Options("whole"))
    assert second.metric["pixels"] > 1000
    assert second.metric["delta1"] > 0.97  # the way to the picture's grid and back moves edges by half a pixel
    assert second.metric["scale"] == 1
    assert second.scaled["scale"] == pytest.approx(1, abs=1e-3)


def test_the_measures_are_those_of_the_maps_that_are_returned(engine: Engine, bundle: Bundle) -> None:
    found = outcomes(engine, bundle, [known(1, 2.0), known(2, 3.0)], Options())
    assert [o.name for o in found] == ["room1", "room2"]
    for outcome in found:
        assert outcome.pixels.shape == (224, 224, 3)
        assert outcome.answer.shape == outcome.truth.shape == (224, 224)
        assert outcome.metric == evaluate(outcome.answer, outcome.truth)
        assert outcome.scaled == evaluate(outcome.answer, outcome.truth, scale="median")
    mean = means(o.metric for o in found)
    assert mean["rmse_m"] == pytest.approx((found[0].metric["rmse_m"] + found[1].metric["rmse_m"]) / 2)


def test_a_camera_of_twice_the_focal_length_answers_twice_as_far_unless_told_not_to(
    engine: Engine, bundle: Bundle
) -> None:
    manifest = bundle.manifest
    assert manifest.training_focal is None or manifest.training_focal[0] > 0
    cameras = [Intrinsics(WIDTH, HEIGHT, f, f, WIDTH / 2, HEIGHT / 2) for f in (300.0, 600.0)]
    for correct, ratio in ((True, 2.0), (False, 1.0)):
        one, two = (
            outcomes(engine, bundle_with_focal(bundle), [known(1, 2.0, camera)], Options("whole", correct))[0]
            for camera in cameras
        )
        both = np.isfinite(one.answer) & np.isfinite(two.answer)
        np.testing.assert_allclose(two.answer[both], ratio * one.answer[both], rtol=1e-4)


def bundle_with_focal(bundle: Bundle) -> Bundle:
    from dataclasses import replace

    return replace(bundle, manifest=replace(bundle.manifest, training_focal=(200.0, 266.0)))


def test_the_command_takes_a_set_and_its_last_share_and_writes_json_and_sheet(
    bundle: Bundle, module: CompiledModule, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module.description
    data = tmp_path / "data"
    data.mkdir()
    for i in range(6):
        cv2.imwrite(str(data / f"r{i}.jpg"), picture(i))
        cv2.imwrite(str(data / f"r{i}.depth.png"), np.full((HEIGHT, WIDTH), 2000, np.uint16))
        about = {"set": "ours" if i < 4 else "other", "source": f"files:{i}.jpg"}
        (data / f"r{i}.json").write_text(json.dumps(about))
    cv2.imwrite(str(data / "no-depth.jpg"), picture(9))
    out, sheet = tmp_path / "numbers.json", tmp_path / "sheet.png"
    command = ["eval", str(bundle.path), str(data), "--set", "ours", "--last", "0.5", "--view", "whole"]
    out.write_text("an older one")
    with out.open() as before:
        assert main([*command, "--json", str(out), "--sheet", str(sheet), "--rows", "2"]) == 0
        assert before.read() == "an older one", "written aside"
    summary = json.loads(out.read_text())
    assert summary["frames"] == 2
    assert [each["name"] for each in summary["pictures"]] == ["r2", "r3"]
    assert summary["delta1"] == pytest.approx(np.mean([each["delta1"] for each in summary["pictures"]]))
    assert summary["rmse_m"] > 0
    assert summary["challenge_score"] == pytest.approx(640 * 2 ** (-20 * summary["si_rmse"]) / summary["infer_s"])
    assert summary["median_scaled"]["scale"] > 0
    assert summary["weights_sha256"] == bundle.weights_sha256
    assert "delta1" in capsys.readouterr().out
    drawn = cv2.imread(str(sheet))
    assert drawn is not None
    assert drawn.shape[1] > 800
    assert main([*command, "--last", "2"]) == 2
    assert main(["eval", str(bundle.path), str(data), "--set", "nothing"]) == 2
    assert "no picture with depth in the set nothing" in capsys.readouterr().err


def test_a_recording_gives_its_pictures_with_true_depth(reference: Path) -> None:
    frames = list(labelled([reference / "bags" / "tum_fr3_cabinet"]))
    assert 50 <= len(frames) <= 58
    first = frames[0].frame
    assert first.pixels.shape == (480, 640, 3)
    assert first.camera is not None
    assert first.depth is not None
    assert 0.3 < np.median(first.depth[first.depth > 0]) < 5


def test_a_folder_with_camera_json_knows_its_camera(reference: Path) -> None:
    frames = list(labelled([reference / "rgbd" / "redwood"]))
    assert len(frames) == 5
    assert {each.frame.camera for each in frames} == {Intrinsics(640, 480, 525, 525, 319.5, 239.5)}


def test_a_truth_of_another_size_is_refused(engine: Engine, bundle: Bundle) -> None:
    wrong = Labelled("wrong", Frame(picture(1), np.ones((10, 10), np.float32), None))
    with pytest.raises(SettingError, match="no depth of its own size 320x240"):
        run(engine, bundle.manifest, [wrong], Options(), lambda _: None)
    with pytest.raises(SettingError, match="no picture"):
        run(engine, bundle.manifest, [], Options(), lambda _: None)
