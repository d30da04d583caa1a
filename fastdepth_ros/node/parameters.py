"""The table of parameters, declared on a node and kept true to it while the node runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter

from fastdepth_ros.cameras import parse_cameras
from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.declared import checked, declare, show
from fastdepth_ros.node.own_parameters import Own, OwnParameters, each_of
from fastdepth_ros.node.turns import together
from fastdepth_ros.parameters import FILES, TABLE, Change, Parameters, check_change, nearest, validate

QOS = "qos_overrides."
TOGETHER = "the parameters"
"""Stands for a parameter's name where the values are allowed, but not together."""


def _look_again(name: str, value: object, own: tuple[str, str] | None) -> None:
    """Read the file that a new value names, if it is the name of one: it may have changed, whereas its name need not.

    Args:
        name, value: as they are set.
        own: the camera, and the parameter of which ``name`` is its own; None where it is of all.

    Raises:
        SettingError: it cannot be used.
    """
    camera, name = own or ("", name)
    if name not in FILES:
        return
    try:
        FILES[name](TABLE[name].check(value))
    except SettingError as error:
        raise SettingError(f"{camera}: {error.cause}" if camera else error.cause, error.remedy) from None


class NodeParameters:
    """The parameters of a node.

    Args:
        node: a lifecycle node; its ``state`` is the label of its lifecycle state.
        on_change: is told of new values.
        given: what the node was given at its start.

    Attributes:
        current: the values in force.
        each: those of each of several cameras by its name; of the only one, under the empty name, the same.
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
        self._own = OwnParameters(node)
        self.current = self._declare()
        self.each = self._take_cameras()
        node.add_pre_set_parameters_callback(self._meant)
        node.add_on_set_parameters_callback(self._set)
        node.add_post_set_parameters_callback(self._follow)

    @property
    def whole(self) -> Parameters:
        """The values for the node as a whole: several cameras have the sum of their rates."""
        return replace(self.current, max_rate=together([each.max_rate for each in self.each.values()]))

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
            given = declare(self._node, name, spec.default)
            values[name] = self._checked(name, given)
            show(self._node, spec, given, values[name])
        try:
            return validate(values)
        except SettingError as error:  # each is allowed, but not together
            self.refuse(TOGETHER, error)
            return Parameters(**values)

    def _checked(self, name: str, given: object) -> Any:
        """Value that was given at start, if all that can be known of it alone is right; else the default."""
        try:
            return checked(TABLE[name], name, given)
        except SettingError as error:
            self.refuse(name, error)
            return TABLE[name].default

    def refuse(self, name: str, error: SettingError) -> None:
        """Refuse a parameter that was given at start: the node does not configure before it is mended, and says why."""
        at_start = name in TABLE and TABLE[name].change is Change.START
        again = "Start the node again, with another." if at_start else "Set it, then configure the node."
        self.refused[name] = SettingError(error.cause, f"{error.remedy} {again}")

    def _meant(self, changes: list[Parameter]) -> list[Parameter]:
        """The changes, with words in the place of what YAML made of them, and those that follow from them."""
        typed = list(self._typed(changes))
        return self._own.with_followers(typed, self.current) if self._own.cameras else typed

    def _typed(self, changes: list[Parameter]) -> Iterator[Parameter]:
        for change in changes:
            own = self._own.split(change.name)
            try:
                yield Parameter(change.name, value=TABLE[own[1] if own else change.name].check(change.value))
            except (KeyError, SettingError):  # not ours, or refused in a moment
                yield change

    def _set(self, changes: list[Parameter]) -> SetParametersResult:
        """Take new values, all or none. Those of other names, as use_sim_time, are none of ours."""
        if not all(change.name for change in changes):  # rclpy takes it for declared
            return SetParametersResult(successful=False, reason="a parameter has a name")
        if self._own.is_declaring:
            return SetParametersResult(successful=True)
        ours = {change.name: change.value for change in changes if change.name in TABLE}
        owns = [own for change in changes if (own := self._own.split(change.name))]
        values = self._own.changed(changes)
        try:
            for name, value in {change.name: change.value for change in changes}.items():  # a name may come often
                _look_again(name, value, self._own.split(name))
            parameters = validate({**vars(self.current), **ours})
            each = each_of(parameters, parse_cameras(parameters.cameras), values)
            for name in ours:
                if getattr(parameters, name) != getattr(self.current, name):
                    check_change(name, self._node.state)
            for camera, name in owns:
                if camera in each and getattr(each[camera], name) != getattr(self.each[camera], name):
                    check_change(name, self._node.state, f"{camera}.{name}")
        except SettingError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if (ours or owns) and (refusal := self._put(parameters, each, values)):
            return SetParametersResult(successful=False, reason=refusal)
        mended = {TOGETHER, *(change.name for change in changes if not self._own.follows(change.name))}
        self.refused = {name: error for name, error in self.refused.items() if name not in mended}
        return SetParametersResult(successful=True)

    def _put(self, parameters: Parameters, each: dict[str, Parameters], values: Own) -> str:
        """Put values in force; where that fails those of before are in force, and the reason is returned."""
        before = self.current, self.each, self._own.values
        self.current, self.each, self._own.values = parameters, each, values
        try:
            self._on_change(parameters)
        except SettingError as error:  # a topic that they want cannot be had
            self.current, self.each, self._own.values = before
            self._on_change(self.current)
            return str(error)
        return ""

    def _follow(self, changes: list[Parameter]) -> None:
        """Have the parameters of the cameras that there are now."""
        if any(change.name == "cameras" for change in changes):
            self.each = self._take_cameras()
            self._on_change(self.current)

    def _take_cameras(self) -> dict[str, Parameters]:
        names = parse_cameras(self.current.cameras)
        if names != self._own.cameras:
            self._own.declare(names, self.current, self.refuse)
            self.refused = {name: error for name, error in self.refused.items() if self._is_there(name)}
        try:
            return each_of(self.current, names, self._own.values)
        except SettingError as error:
            self.refuse(TOGETHER, error)
            return dict.fromkeys(names, self.current)

    def _is_there(self, name: str) -> bool:
        return name == TOGETHER or self._node.has_parameter(name)
