"""An operator's hands: the parameters and services of a node that runs somewhere in the graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Any

from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python

from fastdepth_ros.diagnostics.graph import nodes_of
from fastdepth_ros.errors import FastDepthError, brief, quoted
from fastdepth_ros.harness.bystander import Bystander

ASK_AGAIN = 2.0
"""Time after which a service that has not answered is asked by another client [s]."""

LOOK_PERIOD = 0.1
"""Period in which the graph is looked into for the node [s]."""

MOST_NAMED = 10
"""Nodes that are named where that one is missing."""


class NoNodeError(FastDepthError):
    """The node is not in the graph, or does not answer."""


class Operator(Bystander):
    """Asks a node. Methods are for any thread but that of the callbacks.

    Args:
        name: of the ROS node that asks.
        node: full name of the one that is asked.

    Attributes:
        name: full name of the node that is asked.
    """

    def __init__(self, name: str, node: str) -> None:
        super().__init__(name)
        self.name = "/" + node.strip("/")

    def wait_for_node(self, seconds: float, stop: threading.Event) -> None:
        """Wait until the node's parameter services are there, or until ``stop``.

        Raises:
            NoNodeError: they are not, after so many seconds.
        """
        client = self.node.create_client(GetParameters, f"{self.name}/get_parameters")
        end = time.monotonic() + seconds
        try:
            while not client.service_is_ready() and not stop.wait(LOOK_PERIOD):
                if time.monotonic() > end:
                    raise self._nobody()
        finally:
            self.node.destroy_client(client)

    def get(self, names: Collection[str], seconds: float) -> dict[str, Any]:
        """Values of parameters; those that the node does not have are left out.

        Raises:
            NoNodeError: no answer came within so many seconds.
        """
        answer = self.ask(GetParameters, "get_parameters", GetParameters.Request(names=list(names)), seconds)
        if len(answer.values) != len(names):  # rclpy says nothing at all where one of them is none
            return {k: v for name in names if len(names) > 1 for k, v in self.get([name], seconds).items()}
        values = (parameter_value_to_python(value) for value in answer.values)
        return {name: value for name, value in zip(names, values, strict=False) if value is not None}

    def set(self, name: str, value: Any, seconds: float) -> str:
        """Set a parameter, and return why the node refuses it: empty where it does not.

        Raises:
            NoNodeError: no answer came within so many seconds.
        """
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        result = self.ask(SetParameters, "set_parameters", request, seconds).results[0]
        return "" if result.successful else str(result.reason or "refused")

    def ask(self, kind: Any, service: str, request: Any, seconds: float) -> Any:
        """Ask one of the node's own services something that may be asked twice.

        DDS may lose an answer while both ends find each other: then another client asks again.

        Raises:
            NoNodeError: no answer came within so many seconds.
        """
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            done = threading.Event()
            client = self.node.create_client(kind, f"{self.name}/{service}")
            try:
                if client.wait_for_service(timeout_sec=min(rest, ASK_AGAIN)):
                    future = client.call_async(request)
                    future.add_done_callback(lambda _, done=done: done.set())
                    if done.wait(ASK_AGAIN):
                        return future.result()
            finally:
                self.node.destroy_client(client)
        raise NoNodeError(f"{quoted(self.name)} does not answer ({service})", "Check that it runs.")

    def _nobody(self) -> NoNodeError:
        own = self.node.get_fully_qualified_name()
        others = [brief(name, 80) for name in nodes_of(self.node) if name != own]
        seen = f"the graph has {', '.join(others[:MOST_NAMED])}" if others else "the graph has no other node"
        remedy = "Start it, name it with --node, or check ROS_DOMAIN_ID."
        return NoNodeError(f"there is no node {quoted(self.name)}: {seen}", remedy)
