"""Parameters on the page can be moved there, and as far as the node allows."""

from __future__ import annotations

import pytest

from fastdepth_ros.parameters import TABLE, Change, Parameters
from fastdepth_ros.view.knobs import KNOBS, NEEDED

VALUES = vars(Parameters())


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_a_knob_is_a_parameter_that_changes_at_any_time(knob):
    spec = TABLE[knob.name]
    assert spec.change is Change.LIVE
    assert knob.hint == spec.description
    if knob.is_slider:
        assert spec.low <= knob.low < knob.high <= spec.high
        assert knob.span(VALUES[knob.name]) == (knob.low, knob.high)
    else:
        choices = knob.choices(VALUES)
        assert VALUES[knob.name] in choices
        assert len(choices) > 1


def test_a_value_beyond_the_slider_is_on_it_all_the_same():
    knob = next(knob for knob in KNOBS if knob.name == "max_rate")
    assert knob.span(100.0) == (0.0, 100.0)


def test_a_profile_of_another_machine_can_be_seen_and_kept():
    knob = next(knob for knob in KNOBS if knob.name == "power_profile")
    values = {"power_file": "/no/such/power.yaml", "power_profile": "dock"}
    assert knob.choices(values) == ("dock",)
    assert {"max-n", "max-q"} <= set(knob.choices({**VALUES, "power_profile": "max-q"}))


def test_what_the_choices_need_is_read():
    assert set(NEEDED) <= set(TABLE)
