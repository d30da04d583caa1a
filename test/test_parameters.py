"""The node's parameters: what they allow, and what they answer to the rest."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.declared import descriptor_of
from fastdepth_ros.parameters import TABLE, Parameters, check_change, validate
from fastdepth_ros.pipeline import Settings
from fastdepth_ros.runtime.engine import max_threads


def test_the_defaults_are_allowed():
    assert validate({}) == validate({name: spec.default for name, spec in TABLE.items()}) == Parameters()


def test_every_parameter_is_in_the_table():
    assert set(TABLE) == set(vars(Parameters()))


def test_a_whole_number_does_for_a_number():
    assert validate({"max_rate": 15}).max_rate == 15.0
    assert isinstance(validate({"max_rate": 15}).max_rate, float)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"cloud": "xyzi"}, "off, xyz, xyzrgb"),
        ({"output_size": "Native"}, "native, camera"),
        ({"depth_encoding": 32}, "32FC1, 16UC1"),
        ({"image_transport": "theora"}, "raw, compressed"),
        ({"threads": 1.5}, "a whole number from 0 to"),
        ({"threads": -1}, "from 0 to"),
        ({"threads": 10_000}, "from 0 to"),
        ({"threads": max_threads() + 1}, "the cores here"),
        ({"threads": True}, "a whole number"),
        ({"cloud_stride": 0}, "from 1 to 64"),
        ({"max_rate": -1.0}, "from 0 to 1000"),
        ({"max_rate": float("nan")}, "from 0 to 1000"),
        ({"stale_after": "2"}, "a number from 0.1"),
        ({"diagnostics_period": None}, "a number from 0.1"),
        ({"min_depth": 3.0, "max_depth": 3.0}, "min_depth < max_depth"),
        ({"model": ""}, "not empty"),
        ({"autostart": 1}, "true or false"),
        ({"max_pixels": 0}, "from 1024"),
        ({"mono16_bits": 17}, "from 0 to 16"),
        ({"mono16_bits": 3}, "8 to 16"),
        ({"cluod": "xyz"}, "cloud"),
        ({"rotation": 45}, "0, 90, 180, 270, auto"),
        ({"rotation": "auto", "anchoring": "off"}, "Set anchoring to auto"),
        ({"view_fov": 5.0}, "10 to 150"),
        ({"cpu_affinity": f"0-{10**30}"}, "numbers of cores"),
        ({"cpu_affinity": "9" * 1000}, "numbers of cores"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(values, remedy):
    with pytest.raises(SettingError) as refused:
        validate(values)
    assert remedy in refused.value.remedy
    assert next(iter(values)) in refused.value.cause


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_the_pipeline_and_the_node_allow_the_same(field):
    spec = TABLE[field.name]
    wrong = [*([f"{spec.choices[0]}?"] if spec.choices else [spec.low - 1, spec.high + 1]), None]
    for value in wrong:
        with pytest.raises(SettingError) as by_pipeline:
            Settings(**{field.name: value})
        with pytest.raises(SettingError) as by_node:
            validate({field.name: value})
        assert str(by_pipeline.value) == str(by_node.value)


def test_what_is_allowed_is_the_same_on_every_machine():
    code = "from fastdepth_ros.parameters import TABLE; print([spec.allowed for spec in TABLE.values()])"
    line = [
        sys.executable,
        "-c",
        f"import os; os.sched_getaffinity = lambda _: {{0}}; os.cpu_count = lambda: 1; {code}",
    ]
    assert subprocess.check_output(line, text=True).strip() == str([spec.allowed for spec in TABLE.values()])


@pytest.mark.parametrize("name", ["cloud", "max_rate", "threads", "min_depth", "output_size"])
def test_settings_of_a_frame_change_while_the_node_runs(name):
    check_change(name, "active")


@pytest.mark.parametrize(
    ("name", "state", "way"),
    [
        ("model", "active", "clean up"),
        ("target", "inactive", "clean up"),
        ("image_transport", "active", "Deactivate"),
        ("autostart", "unconfigured", "Start the node"),
    ],
)
def test_other_changes_say_how_to_get_there(name, state, way):
    with pytest.raises(SettingError, match=way):
        check_change(name, state)


def test_the_model_changes_while_the_node_is_unconfigured():
    check_change("model", "unconfigured")
    check_change("image_transport", "inactive")


@pytest.mark.parametrize("spec", TABLE.values(), ids=lambda spec: spec.name)
def test_tools_are_told_what_is_allowed(spec):
    descriptor = descriptor_of(spec)
    assert descriptor.description
    assert spec.allowed in descriptor.additional_constraints
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    assert len(ranges) == (type(spec.default) in (int, float))
    assert all((bounds.from_value, bounds.to_value) == (spec.low, spec.high) for bounds in ranges)
