"""A lifecycle node that what it is given, or hears, cannot end."""

from __future__ import annotations

from typing import Any

from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.lifecycle import LifecycleNode
from rosgraph_msgs.msg import Clock

from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.clock import checked
from fastdepth_ros.node.faults import Faults
from fastdepth_ros.node.parameters import QOS
from fastdepth_ros.node.rclpy_ways.interface import Way
from fastdepth_ros.node.services import guard_services


class CarefulNode(LifecycleNode):  # type: ignore[misc]  # rclpy ships no types
    """Outlives parameters, requests and a /clock that rclpy stumbles over.

    Args:
        name, arguments: rclpy's.
        way: to write the log.

    Attributes:
        strange: parameters of rclpy's own that were given what they cannot be, by name; they have their defaults.
        faults: tells of exceptions.
    """

    def __init__(self, name: str, way: Way, **arguments: Any) -> None:
        self.strange: dict[str, SettingError] = {}
        self._own_logger: Any = None
        super().__init__(name, **arguments)
        self._own_logger = way.logger(super().get_logger())
        self.faults = Faults(self.get_logger())
        guard_services(self, self.outlive)

    def get_logger(self) -> Any:
        """The node's logger."""
        return self._own_logger or super().get_logger()

    def outlive(self, error: Exception) -> None:
        """Log what a callback raised, ours or one of rclpy's own, once of each kind; the node goes on."""
        self.faults.outlive(error)

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Any:
        """Declare a parameter; see rclpy. One of rclpy's own that was given what it cannot be has its default."""
        given = (name, value) if descriptor is None else (name, value, descriptor)
        try:
            return super().declare_parameter(*given, ignore_override=ignore_override)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            if name.startswith(QOS):
                raise  # its topic is not made
            self.strange[name] = SettingError(str(error), f"{name} is {_kind(value)}, as {str(value).lower()}.")
            return super().declare_parameter(*given, ignore_override=True)

    def create_subscription(self, msg_type: Any, topic: str, callback: Any, *rest: Any, **options: Any) -> Any:
        """As rclpy's, which subscribes to /clock this way; no library unpacks what comes in."""
        if msg_type is Clock:
            callback, options = checked(callback), {**options, "raw": True}
        return super().create_subscription(msg_type, topic, callback, *rest, **options)

    def destroy_node(self) -> None:
        """Leave the graph, and give back what belongs to it; see rclpy.

        rclpy forgets the lifecycle's own part of the node, by which the middleware's stays until the process has ended,
        and its shared memory, which nobody else removes, for ever.
        """
        machine = getattr(self, "_state_machine", None)  # private: a release that has none has nothing to forget
        if machine is not None:
            machine.destroy_when_not_in_use()
        super().destroy_node()


def _kind(value: object) -> str:
    return "a boolean" if isinstance(value, bool) else f"of the type {type(value).__name__}"
