"""Time that passes between frames: what it changes is worked out when nobody waits for depth."""

import numpy as np
import pytest

from fastdepth_ros.anchoring.line import STEP, Evidence, Line
from fastdepth_ros.anchoring.prior import Prior

FRAME = 1 / 30
SAID = Evidence(np.diag([400.0, 40.0, 400.0, 40.0, 1.0, 1.0]), np.array([80.0, 4.0, 60.0, 2.0, 0.1, 0.1]), 3.0)


@pytest.fixture
def line():
    """A line to which one frame has said something, at 0 s."""
    line = Line(Prior())
    line.predict(0.0)
    line.update(SAID)
    return line


def test_an_image_does_not_wait_for_the_time_since_the_last_few(line):
    held, settled = line.held, line.settled
    for frame in range(1, 6):
        line.predict(frame * FRAME)
        assert line.held is held
        assert line.settled is settled
    assert 5 * FRAME > STEP
    line.catch_up()
    assert line.held.covariance[2, 2] > held.covariance[2, 2]
    assert abs(line.held.mean[2]) < abs(held.mean[2])


def test_after_a_pause_the_next_image_knows_how_old_everything_is(line):
    before = line.held.covariance[2, 2]
    line.predict(1.0)
    after = line.held.covariance[2, 2]
    assert after > 1.5 * before
    line.catch_up()
    assert line.held.covariance[2, 2] == after, "it does not pass twice"


@pytest.mark.parametrize("frame", [FRAME, 0.07, 0.12, 0.3])
def test_as_much_time_passes_whatever_the_rate(line, frame):
    count = round(3.0 / frame)
    for number in range(1, count + 1):
        line.predict(number * frame)
        line.catch_up()
    at_once = Line(Prior())
    at_once.predict(0.0)
    at_once.update(SAID)
    at_once.predict(count * frame)
    found, expected = line.held, at_once.held
    np.testing.assert_allclose(found.mean, expected.mean, rtol=0.05, atol=1e-4)
    np.testing.assert_allclose(found.covariance.diagonal(), expected.covariance.diagonal(), rtol=0.05)
