"""The table of parameters, declared on a node and kept true to it while the node runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.parameter import Parameter

from fastdepth_ros.errors import SettingError
from fastdepth_ros.parameters import TABLE, Change, Parameters, Spec, check_change, validate


class NodeParameters:
    """The parameters of a node.

    Args:
        node: a lifecycle node; its ``state`` is the label of its lifecycle state.
        on_change: is told of new values.

    Attributes:
        current: the values in force.
        refused: what was given at start and is not allowed, by name. The default is in force meanwhile, and the node
            does not configure, so that nobody flies with numbers other than he wrote down.
    """

    def __init__(self, node: Any, on_change: Callable[[Parameters], None]) -> None:
        self.refused: dict[str, SettingError] = {}
        self._node = node
        self._on_change = on_change
        self.current = self._declare()
        node.add_on_set_parameters_callback(self._set)

    def _declare(self) -> Parameters:
        values: dict[str, object] = {}
        for name, spec in TABLE.items():
            descriptor = descriptor_of(spec)
            try:
                values[name] = spec.check(self._node.declare_parameter(name, spec.default, descriptor).value)
            except SettingError as error:
                self._refuse(name, error)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                # rclpy holds types and ranges against the descriptor before we can.
                self._node.declare_parameter(name, spec.default, descriptor, ignore_override=True)
                self._refuse(name, SettingError(str(error), f"Use {spec.allowed}."))
        try:
            return validate(values)
        except SettingError as error:  # each is allowed, but not together
            self._refuse("the parameters", error)
            return Parameters(**values)  # type: ignore[arg-type]

    def _refuse(self, name: str, error: SettingError) -> None:
        self.refused[name] = error
        self._node.get_logger().error(f"{error} Set it, then configure the node.")

    def _set(self, changes: list[Parameter]) -> SetParametersResult:
        """Take new values, all or none. Those of other names, as use_sim_time, are none of ours."""
        ours = {change.name: change.value for change in changes if change.name in TABLE}
        try:
            parameters = validate({**vars(self.current), **ours})
            for name in ours:
                if getattr(parameters, name) != getattr(self.current, name):
                    check_change(name, self._node.state)
        except SettingError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.current = parameters
        self.refused = {name: error for name, error in self.refused.items() if name in TABLE and name not in ours}
        if ours:
            self._on_change(parameters)
        return SetParametersResult(successful=True)


def descriptor_of(spec: Spec) -> ParameterDescriptor:
    """What rclpy and its tools are told of a parameter."""
    kind = type(spec.default)
    bounds = {"from_value": spec.low, "to_value": spec.high}
    return ParameterDescriptor(
        name=spec.name,
        description=spec.description,
        additional_constraints=f"{spec.allowed}; changes {spec.change.value}",
        read_only=spec.change is Change.START,
        # Lets `max_rate: 15` through to check(), where rclpy insists on 15.0.
        dynamic_typing=kind is float,
        integer_range=[IntegerRange(**{k: int(v) for k, v in bounds.items()})] if kind is int else [],
        floating_point_range=[FloatingPointRange(**bounds)] if kind is float else [],
    )
