"""The table of parameters, declared on a node and kept true to it while the node runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.parameter import Parameter

from fastdepth_ros.errors import SettingError
from fastdepth_ros.parameters import MEANINGS, TABLE, Change, Parameters, Spec, check_change, nearest, validate

QOS = "qos_overrides."
TOGETHER = "the parameters"
"""Stands for a parameter's name where the values are allowed, but not together."""


class NodeParameters:
    """The parameters of a node.

    Args:
        node: a lifecycle node; its ``state`` is the label of its lifecycle state.
        on_change: is told of new values.
        given: what the node was given at its start.

    Attributes:
        current: the values in force.
        refused: what was given at start and is not allowed, by name. The default is in force meanwhile, and the node
            does not configure, so that nobody flies with numbers other than he wrote down.
    """

    def __init__(
        self, node: Any, on_change: Callable[[Parameters], None], given: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        self._given = given
        self.refused: dict[str, SettingError] = {}
        self._node = node
        self._on_change = on_change
        self.current = self._declare()
        node.add_pre_set_parameters_callback(self._meant)
        node.add_on_set_parameters_callback(self._set)

    def unknown(self, every_topic: bool) -> dict[str, str | None]:
        """Parameters that were given at start and are none of the node's, each with the one that was probably meant.

        Args:
            every_topic: whether the node has all of its topics, so that a QoS override that is not declared is of none.
        """
        names = [name for name in self._given if not self._node.has_parameter(name)]
        known = list(self._node.list_parameters([], 0).names)
        return {name: nearest(name, known) for name in names if every_topic or not name.startswith(QOS)}

    def _declare(self) -> Parameters:
        values: dict[str, Any] = {}
        for name, spec in TABLE.items():
            # rclpy, which holds types and ranges against the descriptor first, gets the real one afterwards.
            anything = ParameterDescriptor(dynamic_typing=True)
            given = self._node.declare_parameter(name, spec.default, anything).value
            values[name] = self._checked(name, given)
            if type(values[name]) is not type(given) or values[name] != given:
                self._node.set_parameters([Parameter(name, value=values[name])])
            self._node.set_descriptor(name, descriptor_of(spec))
        try:
            return validate(values)
        except SettingError as error:  # each is allowed, but not together
            self.refuse(TOGETHER, error)
            return Parameters(**values)

    def _checked(self, name: str, given: object) -> Any:
        """Value that was given at start, if all that can be known of it alone is right; else the default."""
        try:
            value = TABLE[name].check(given)
            if name in MEANINGS:
                MEANINGS[name](value)
            return value
        except SettingError as error:
            self.refuse(name, error)
            return TABLE[name].default

    def refuse(self, name: str, error: SettingError) -> None:
        """Refuse a parameter that was given at start: the node does not configure before it is mended, and says why."""
        at_start = name in TABLE and TABLE[name].change is Change.START
        again = "Start the node again, with another." if at_start else "Set it, then configure the node."
        self.refused[name] = SettingError(error.cause, f"{error.remedy} {again}")

    def _meant(self, changes: list[Parameter]) -> list[Parameter]:
        """The changes, with words in the place of what YAML made of them."""
        return list(self._typed(changes))

    def _typed(self, changes: list[Parameter]) -> Iterator[Parameter]:
        for change in changes:
            try:
                yield Parameter(change.name, value=TABLE[change.name].check(change.value))
            except (KeyError, SettingError):  # not ours, or refused in a moment
                yield change

    def _set(self, changes: list[Parameter]) -> SetParametersResult:
        """Take new values, all or none. Those of other names, as use_sim_time, are none of ours."""
        if not all(change.name for change in changes):  # rclpy takes it for declared
            return SetParametersResult(successful=False, reason="a parameter has a name")
        ours = {change.name: change.value for change in changes if change.name in TABLE}
        try:
            parameters = validate({**vars(self.current), **ours})
            for name in ours:
                if getattr(parameters, name) != getattr(self.current, name):
                    check_change(name, self._node.state)
        except SettingError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if ours and (refusal := self._put(parameters)):
            return SetParametersResult(successful=False, reason=refusal)
        mended = {TOGETHER, *(change.name for change in changes)}
        self.refused = {name: error for name, error in self.refused.items() if name not in mended}
        return SetParametersResult(successful=True)

    def _put(self, parameters: Parameters) -> str:
        """Put values in force; where that fails those of before are in force, and the reason is returned."""
        before, self.current = self.current, parameters
        try:
            self._on_change(parameters)
        except SettingError as error:  # a topic that they want cannot be had
            self.current = before
            self._on_change(before)
            return str(error)
        return ""


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
