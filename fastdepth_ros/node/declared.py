"""A row of the table of parameters as a parameter of rclpy's."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.parameter import Parameter

from fastdepth_ros.parameters import MEANINGS, Change, Spec
from fastdepth_ros.settings import Value


def declare(node: Any, name: str, otherwise: Value | None) -> Any:
    """Declare a parameter of any type, and return what it was given at start, or else ``otherwise``.

    rclpy, which holds types and ranges against the descriptor first, gets the real one with :func:`show`.
    """
    return node.declare_parameter(name, otherwise, ParameterDescriptor(dynamic_typing=True)).value


def show(node: Any, spec: Spec, given: object, value: Value) -> None:
    """Have a parameter that was declared show the value in force, and its description."""
    if type(value) is not type(given) or value != given:
        node.set_parameters([Parameter(spec.name, value=value)])
    node.set_descriptor(spec.name, descriptor_of(spec))


def checked(spec: Spec, parameter: str, given: object) -> Value:
    """A value, if all that can be known of it alone is right.

    Args:
        spec: its row.
        parameter: name of the row in the table.
        given: the value.

    Raises:
        SettingError: it is not allowed.
    """
    value = spec.check(given)
    if parameter in MEANINGS:
        MEANINGS[parameter](value)
    return value


def descriptor_of(spec: Spec) -> ParameterDescriptor:
    """Describe a parameter to rclpy and its tools."""
    kind = type(spec.default)
    bounds = {"from_value": spec.low, "to_value": spec.high}
    return ParameterDescriptor(
        name=spec.name,
        description=spec.description,
        additional_constraints=f"{spec.allowed}; changes {spec.change.value}",
        read_only=spec.change is Change.START,
        # Lets `max_rate: 15` and `cloud: off` through to check(), where rclpy insists on 15.0 and "off".
        dynamic_typing=True,
        integer_range=[IntegerRange(**{k: int(v) for k, v in bounds.items()})] if kind is int else [],
        floating_point_range=[FloatingPointRange(**bounds)] if kind is float else [],
    )
