"""Files that parameters name are read whenever the parameter is set, to the same name as well."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter

from fastdepth_ros.node.parameters import NodeParameters
from fastdepth_ros.parameters import FILES, calibration_of, mask_of

DOMAIN = 51 + os.getpid() % 50
YAML = """
image_width: 640
image_height: 480
camera_matrix: {data: [%d, 0, 319, 0, 520, 239, 0, 0, 1]}
distortion_coefficients: {data: [0, 0, 0, 0, 0]}
"""


@pytest.fixture
def node():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    node = rclpy.create_node("of_files", context=context, enable_rosout=False, start_parameter_services=False)
    node.state = "active"
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def change(node):
    """Sets a parameter; gives whether it was taken, why not, and the values that are in force."""
    settings = NodeParameters(node, lambda _: None)

    def changed(name, value):
        (result,) = node.set_parameters([Parameter(name, value=value)])
        return result.successful, result.reason, settings.current

    return changed


def test_a_camera_that_was_calibrated_again_is_the_new_one(change, tmp_path):
    file = tmp_path / "front.yaml"
    file.write_text(YAML % 510)
    assert change("camera_info_url", str(file))[0]
    assert calibration_of(str(file)).k[0] == 510
    file.write_text(YAML % 530)
    assert change("max_rate", 5.0)[0]
    assert calibration_of(str(file)).k[0] == 510, "nobody asked for it"
    assert change("camera_info_url", str(file))[0]
    assert calibration_of(str(file)).k[0] == 530


def test_a_file_that_was_spoilt_is_refused_and_the_one_before_holds(change, tmp_path):
    file = tmp_path / "front.yaml"
    file.write_text(YAML % 510)
    assert change("camera_info_url", str(file))[0]
    file.write_text("nothing: here")
    taken, why, current = change("camera_info_url", str(file))
    assert (taken, "it holds neither camera_matrix" in why) == (False, True)
    assert current.camera_info_url == str(file)
    assert calibration_of(str(file)).k[0] == 510
    assert change("max_rate", 5.0)[0]


def test_a_mask_that_was_drawn_again_is_the_new_one(change, tmp_path):
    file = tmp_path / "body.png"
    cv2.imwrite(str(file), np.zeros((4, 6), np.uint8))
    assert change("mask", str(file))[0]
    assert mask_of(str(file)).hides.all()
    cv2.imwrite(str(file), np.full((4, 6), 255, np.uint8))
    assert change("mask", str(file))[0]
    assert not mask_of(str(file)).hides.any()


def test_a_name_that_comes_a_thousand_times_in_one_request_is_read_once(change, node, tmp_path, monkeypatch):
    file = tmp_path / "mask.png"
    cv2.imwrite(str(file), np.zeros((8, 8), np.uint8))
    read = []
    monkeypatch.setitem(FILES, "mask", read.append)
    result = node.set_parameters_atomically([Parameter("mask", value=str(file))] * 1000)
    assert result.successful, result.reason
    assert read == [str(file)]
    assert change("mask", "none")[0]
