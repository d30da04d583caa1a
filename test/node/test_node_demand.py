"""Who is asked for readers, and when."""

from types import SimpleNamespace

import pytest

from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS
from fastdepth_ros.node import demand
from fastdepth_ros.node.demand import SELDOM, Demand
from fastdepth_ros.parameters import Parameters


class Asked:
    """A publisher that says how many read it, and remembers how often it was asked."""

    def __init__(self):
        self.readers = self.times = 0

    def count(self):
        self.times += 1
        return self.readers


@pytest.fixture
def publishers():
    return {output.name: Asked() for output in OUTPUT_TOPICS}


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(demand, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def names(wanted):
    return [output.name for output in wanted.outputs]


@pytest.mark.usefixtures("clock")
def test_a_reader_of_depth_is_seen_with_the_next_image(publishers):
    asking = Demand(publishers, Parameters())
    assert names(asking.look()) == []
    publishers["depth"].readers = 1
    assert names(asking.look()) == ["depth"]
    assert asking.look() is asking.look(), "what follows is kept"
    publishers["depth"].readers = 0
    assert names(asking.look()) == []


def test_readers_of_derived_answers_are_asked_for_now_and_then(publishers, clock):
    asking = Demand(publishers, Parameters())
    asking.look()
    publishers["scan"].readers = 2
    clock.now += SELDOM / 2
    assert names(asking.look()) == []
    assert publishers["scan"].times == 1
    clock.now += SELDOM / 2
    wanted = asking.look()
    assert names(wanted) == ["scan"]
    assert wanted.needed["cells"]
    assert not wanted.needed["depth"]


@pytest.mark.usefixtures("clock")
def test_an_output_that_is_off_is_not_asked_for(publishers):
    asking = Demand(publishers, Parameters(cloud="off"))
    publishers["cloud"].readers = 1
    assert names(asking.look()) == []
    asking.apply(Parameters())
    assert names(asking.look()) == ["cloud"]
    asking.apply(Parameters(cloud="off"))
    publishers["preview"].readers = 1
    assert names(asking.look()) == ["preview"], "new parameters ask all of them anew"


@pytest.mark.usefixtures("clock")
def test_depth_goes_before_a_camera_info_that_is_known_and_both_before_the_points(publishers):
    asking = Demand(publishers, Parameters())
    for name in ("camera_info", "depth", "uncertainty", "cloud", "scan"):
        publishers[name].readers = 1
    wanted = asking.look()
    assert names(wanted) == ["camera_info", "depth", "uncertainty", "cloud", "scan"]
    assert [output.name for output in wanted.first] == ["camera_info", "depth", "uncertainty"]
    assert [output.name for output in wanted.known] == ["depth", "uncertainty", "camera_info"]
    assert [output.name for output in wanted.behind] == ["cloud", "scan"]
