"""The compiled network against the answer that the authors' own TVM module gave."""

import numpy as np

from fastdepth_ros.runtime.engine import Engine


def test_the_authors_weights_give_the_authors_answer(reference, reference_module):
    picture = np.load(reference / "mit_sample" / "rgb.npy") * 255
    expected = np.load(reference / "mit_sample" / "pred.npy").squeeze()
    assert np.array_equal(picture, picture.round()), "the sample is made of whole bytes"
    engine = Engine(reference_module)
    engine.input[:] = picture
    depth = engine.run().repeat(2, axis=0).repeat(2, axis=1)
    assert depth.shape == expected.shape
    assert np.sqrt(np.mean((depth - expected) ** 2)) < 0.005
