"""The compiled network against the answer that the authors' own TVM module gave."""

import numpy as np
import pytest

from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.precision import int8_here


def sample(reference):
    """Picture and answer."""
    picture = np.load(reference / "mit_sample" / "rgb.npy") * 255
    assert np.array_equal(picture, picture.round()), "the sample is made of whole bytes"
    return picture, np.load(reference / "mit_sample" / "pred.npy").squeeze()


def rmse(engine, picture, expected):
    engine.input[:] = picture
    depth = engine.run().repeat(2, axis=0).repeat(2, axis=1)
    assert depth.shape == expected.shape
    return np.sqrt(np.mean((depth - expected) ** 2))


def test_the_authors_weights_give_the_authors_answer(reference, reference_module):
    assert rmse(open_engine(reference_module), *sample(reference)) < 0.005


def test_in_int8_the_authors_weights_give_nearly_the_authors_answer(reference, reference_bundle):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    assert rmse(open_engine(module_for(reference_bundle, precision="int8")), *sample(reference)) < 0.03
