"""A bundle is what its manifest says, or it is refused."""

import json
import shutil

import numpy as np
import pytest

from fastdepth_ros.errors import BundleError, FastDepthError
from fastdepth_ros.runtime.bundle import CARD, MANIFEST, WEIGHTS, Bundle


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle.path, tmp_path / "copy")


def edit(folder, **changes):
    file = folder / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_an_unaltered_copy_opens(copy, bundle):
    opened = Bundle.open(copy)
    assert opened.manifest == bundle.manifest
    weights, original = opened.weights(), bundle.weights()
    assert all(np.array_equal(weights[name], original[name]) for name in original)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_one_flipped_byte_is_found(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} was altered"):
        Bundle.open(copy)


def test_a_missing_file_is_named(copy):
    (copy / WEIGHTS).unlink()
    with pytest.raises(BundleError, match="weights.safetensors is missing"):
        Bundle.open(copy)


def test_a_folder_without_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="is no model bundle.*fastdepth import"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 99}, "format 99"),
        ({"input": {"width": 225, "height": 224}}, "225 pixels"),
        ({"input": {}}, "cannot be read"),
        ({"view": {"resize_height": 250, "crop_width": 0, "crop_height": 1}}, "empty view"),
        ({"view": {"unknown": 1}}, "cannot be read"),
        ({"network": {"name": "x"}}, "network table cannot be read"),
        ({"training_focal_px": ["far"]}, "cannot be read"),
        ({"files": {}}, "names no weights"),
        ({"files": {WEIGHTS: "0", "../../etc/passwd": "0"}}, "was altered|outside the bundle"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(copy, changes, says):
    edit(copy, **changes)
    with pytest.raises(FastDepthError, match=says):
        Bundle.open(copy)


def test_a_manifest_that_is_cut_short_is_refused(copy):
    text = (copy / MANIFEST).read_text()
    (copy / MANIFEST).write_text(text[: len(text) // 2])
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.open(copy)
