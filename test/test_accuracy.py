"""The whole pipeline on real frames with the authors' weights: a picture in, metres out, held against the sensor."""

import json

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.engines import open_engine


@pytest.fixture(scope="module")
def frames(reference):
    """Pictures (BGR), true depth [m], and their camera."""
    folder = reference / "rgbd" / "slambook2_ch5"
    about = json.loads((folder / "camera.json").read_text())
    camera = Intrinsics(about["width"], about["height"], about["fx"], about["fy"], about["cx"], about["cy"])
    pairs = []
    for picture in sorted(folder.glob("*.jpg")):
        truth = cv2.imread(str(picture.with_suffix(".depth.png")), cv2.IMREAD_UNCHANGED) / np.float32(1000)
        pairs.append((cv2.imread(str(picture)), truth))
    return pairs, camera


def test_camera_depth_of_real_frames_is_right_in_the_cameras_own_grid(frames, reference_bundle, reference_module):
    pairs, camera = frames
    pipeline = Pipeline(open_engine(reference_module), reference_bundle.manifest, Settings(output_size="camera"))
    answers = [pipeline.run(Picture(picture, "bgr"), camera).depth.copy() for picture, _ in pairs]
    truths = [truth for _, truth in pairs]
    assert evaluate(np.stack(answers), np.stack(truths))["delta1"] >= 0.91


def test_native_depth_means_what_its_own_camera_matrix_says(frames, reference_bundle, reference_module):
    """The truth is looked up where the points of the cloud project into the original picture."""
    pairs, camera = frames
    pipeline = Pipeline(open_engine(reference_module), reference_bundle.manifest, Settings(cloud="xyz"))
    answers, truths = [], []
    for picture, truth in pairs:
        points = pipeline.run(Picture(picture, "bgr"), camera).cloud.reshape(-1, 3)
        points = points[np.isfinite(points[:, 2])].astype(np.float64)
        u, v = np.rint(camera.project(points)).astype(int).T
        answers.append(points[:, 2])
        truths.append(truth[v, u])
    assert evaluate(np.concatenate(answers), np.concatenate(truths))["delta1"] >= 0.91
