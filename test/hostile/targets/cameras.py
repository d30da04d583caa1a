"""Files about a camera that strangers wrote, and depth that they packed: calibrations, measured depths, RVL."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from fastdepth_ros.camera import PAPER_VIEW, View
from fastdepth_ros.codec import compressed_depth, rvl
from fastdepth_ros.errors import AnchorError, CalibrationError, SettingError
from fastdepth_ros.lens.calibration_file import read_calibration
from fastdepth_ros.node.camera_info import CameraInfoListener
from fastdepth_ros.recording.anchor_file import anchors_of, read_anchor_file
from hostile import mutate
from hostile.seeds import documents
from hostile.target import FooledError, Target
from hostile.targets.messages import Quiet

YAML = """
image_width: 640
image_height: 480
camera_matrix: {rows: 3, cols: 3, data: [520, 0.0, 319, 0.0, 521, 239, 0.0, 0.0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -1e-05, 0.0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix:
  rows: 3
  cols: 4
  data: [500., 0., 318., 0., 0., 501., 238., 0., 0., 0., 1., 0.]
"""
KALIBR = """
cam0:
  camera_model: pinhole
  distortion_coeffs: [-0.3, 0.1, 0.001, -1e-05]
  distortion_model: radtan
  intrinsics: [520.0, 521.0, 319.0, 239.0]
  resolution: [640, 480]
"""
INI = """
width
640
height
480
[front]
camera matrix
520.0 0.0 319.0
0.0 521.0 239.0
0.0 0.0 1.0
distortion
-0.3 0.1 0.001 -0.00001 0.0
"""
ROWS = "u,v,metres,sigma,source,picture\n311.5,207.0,2.41,0.05,anchors,a.jpg\n5,6,1.5,,scan,\n"
LISTED = "- {u: 311.5, v: 207.0, metres: 2.41, sigma: 0.05}\n- {u: 5, v: 6, metres: 1.5, source: scan}\n"
PIXELS = np.random.default_rng(3).integers(0, 3, (24, 32)).astype(np.uint16) * 700


def _make_calibration(rng: Random) -> bytes:
    text = rng.choice((YAML, KALIBR, INI))
    if text is INI:
        return b"i" + mutate.spoil(rng, INI.encode())
    return b"y" + documents.spoil_yaml(rng, text)


def _calibration(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        path = folder / ("a.ini" if data[:1] == b"i" else "a.yaml")
        path.write_bytes(data[1:])
        found = read_calibration(str(path), anew=True)
        camera = CameraInfoListener(Quiet())
        camera.rectify("auto", 0.0)
        camera.take_file(found)
        if camera.calibration is None:
            raise CalibrationError(camera.problem or "nothing", "")
        camera.calibration.fitted(320, 240)

    return take


def _make_anchor_file(rng: Random) -> bytes:
    if rng.random() < 0.5:
        return b"c" + mutate.spoil(rng, ROWS.encode())
    return b"y" + documents.spoil_yaml(rng, LISTED)


def _anchor_file(folder: Path) -> Callable[[bytes], object]:
    view = View.of(PAPER_VIEW, 640, 480, 224, 224)

    def take(data: bytes) -> None:
        path = folder / ("a.csv" if data[:1] == b"c" else "a.yaml")
        path.write_bytes(data[1:])
        try:
            anchors_of(read_anchor_file(path), view, 640, 480)
        except SettingError as error:
            raise AnchorError(error.cause, error.remedy) from error

    return take


def _make_rvl(rng: Random) -> bytes:
    """RVL of another size than it says, of other bytes, or of a few bytes over and over."""
    height, width = PIXELS.shape
    body = rvl.encode(PIXELS)
    kind = rng.random()
    if kind < 0.2:
        width, height = mutate.number(rng, width), mutate.number(rng, height)
    if kind > 0.6:
        body = mutate.spoil(rng, body)
    if kind > 0.95:
        width, height = rng.choice(((640, 480), (1280, 720)))
        body = rng.choice((b"\0", b"\x11", b"\x10", b"\x01", b"\x88", b"\x7f")) * rng.choice((1 << 10, 1 << 18))
    return bytes(12) + struct.pack("<II", width, height) + body


def _rvl(_: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        found = compressed_depth.decode("16UC1; compressedDepth rvl", np.frombuffer(data, np.uint8), "it")
        width, height = struct.unpack_from("<II", data, 12)
        if found.shape != (height, width):
            raise FooledError("a picture of another size")

    return take


TARGETS = (
    Target("calibration", "file", _make_calibration, _calibration, 1),
    Target("anchor_file", "file", _make_anchor_file, _anchor_file, 1),
    Target("rvl", "file", _make_rvl, _rvl, 1),
)
