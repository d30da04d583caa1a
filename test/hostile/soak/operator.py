"""The node's operator: transitions, parameters, and what the node says of itself."""

from __future__ import annotations

import time
from typing import Any

from hostile.soak.parts import NAMESPACE

PATIENCE = 60.0
TRANSITIONS = {"configure": 1, "cleanup": 2, "activate": 3, "deactivate": 4}


class Operator:
    """Clients of one node, and its reports.

    Attributes:
        statuses: status -> key -> value of the latest report; under "" its message.
        stamp: when that was made, in the node's clock [ns].
    """

    def __init__(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from lifecycle_msgs.srv import ChangeState, GetState
        from rcl_interfaces.srv import SetParameters
        from rclpy.executors import SingleThreadedExecutor

        rclpy.init(args=[])
        self._node = rclpy.create_node("operator", namespace=NAMESPACE)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        kinds = {"change_state": ChangeState, "get_state": GetState, "set_parameters": SetParameters}
        self._clients = {name: self._node.create_client(kind, f"fastdepth/{name}") for name, kind in kinds.items()}
        self.statuses: dict[str, dict[str, str]] = {}
        self.reports = self.stamp = 0
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_report, 10)

    def _on_report(self, message: Any) -> None:
        own = f"{NAMESPACE.lstrip('/')}/fastdepth: "
        for status in message.status:
            if status.name.startswith(own):
                self.statuses[status.name.removeprefix(own)] = {
                    "": status.message,
                    **{v.key: v.value for v in status.values},
                }
        self.reports += 1
        self.stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec

    def spin(self, seconds: float) -> None:
        """Hear what comes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def call(self, service: str, request: Any) -> Any:
        """The answer of a service.

        Raises:
            TimeoutError: none came, twice.
        """
        client = self._clients[service]
        for _ in range(2):
            until = time.monotonic() + PATIENCE / 2
            while not client.service_is_ready() and time.monotonic() < until:
                self.spin(0.05)
            future = client.call_async(request)
            while not future.done() and time.monotonic() < until:
                self.spin(0.02)
            if future.done():
                return future.result()
        raise TimeoutError(f"{service} does not answer")

    def change(self, transition: str) -> bool:
        """Ask for a transition, and say whether it was made."""
        request = self._clients["change_state"].srv_type.Request()
        request.transition.id = TRANSITIONS[transition]
        return bool(self.call("change_state", request).success)

    @property
    def state(self) -> str:
        """Label of the lifecycle state."""
        return str(self.call("get_state", self._clients["get_state"].srv_type.Request()).current_state.label)

    def wait_for(self, state: str) -> None:
        """Wait until the node is in a state.

        Raises:
            TimeoutError: it does not get there.
        """
        until = time.monotonic() + PATIENCE
        while self.state != state:
            if time.monotonic() > until:
                raise TimeoutError(f"the node is {self.state}, not {state}")
            self.spin(0.2)

    def set(self, name: str, value: Any) -> str:
        """Set a parameter; the reason where it is refused."""
        from rclpy.parameter import Parameter

        request = self._clients["set_parameters"].srv_type.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()]
        )
        result = self.call("set_parameters", request).results[0]
        return "" if result.successful else str(result.reason)

    def number(self, status: str, key: str) -> float:
        """A number of the latest report; NaN where it is not there."""
        try:
            return float(self.statuses[status][key].split()[0])
        except (KeyError, ValueError, IndexError):
            return float("nan")
