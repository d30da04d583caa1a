"""Depth in 16 bits says the same wherever it is written: to a file, into a recording, on a topic."""

import cv2
import numpy as np
import pytest

from fastdepth_ros.codec.compressed_depth import HEADER
from fastdepth_ros.commands.infer import _write
from fastdepth_ros.millimetres import FARTHEST, millimetres
from fastdepth_ros.pipeline import DepthFrame
from fastdepth_ros.recording.depth import encode_depth

DEPTHS = [(0.0, 0), (0.0004, 0), (0.001, 1), (1.2344, 1234), (65.5, 65500), (FARTHEST, 65535)]
NONE = [(65.536, 0), (80.0, 0), (np.inf, 0), (-np.inf, 0), (np.nan, 0), (-1.0, 0)]


def in_memory(depth, _folder):
    return millimetres(depth)


def in_a_recording(depth, _folder):
    return cv2.imdecode(np.frombuffer(encode_depth(depth)[HEADER.size :], np.uint8), cv2.IMREAD_UNCHANGED)


def in_a_file(depth, folder):
    cloud = np.zeros((*depth.shape, 4), np.float32)
    _write(folder / "any", DepthFrame(depth, None, cloud, {"infer": 0.0}), 2)
    return cv2.imread(str(folder / "any.depth.png"), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("written", [in_memory, in_a_recording, in_a_file])
@pytest.mark.parametrize(("metres", "expected"), [*DEPTHS, *NONE])
def test_what_does_not_fit_into_16_bits_is_unknown_and_not_near_the_largest_number(written, metres, expected, tmp_path):
    depth = np.full((4, 4), metres, np.float32)
    assert (written(depth, tmp_path) == expected).all()
