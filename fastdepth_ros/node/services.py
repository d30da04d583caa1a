"""The services that rclpy gives every node, held so that no request can end it or hold it up.

rclpy raises out of them for a parameter of a type that there is not, and on ROS 2 Jazzy for a transition that is not
allowed; the executor of a node lets that out. Here whoever asks gets an answer that says no.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

from fastdepth_ros.errors import brief

MOST = 1000
"""Parameters or names in one request: each costs time in which nothing else is answered."""

LONGEST = 2.0
"""Time for one request [s]. Parameters that name files may take longer, a thousand of them minutes."""

_NUMBERED = re.compile(r"\b(expected|got) '(\d)'")

Answer = Callable[[Any, Any], Any]


def guard_services(node: Node, tell: Callable[[Exception], None]) -> None:
    """Guard the services that a node has.

    Args:
        node: any.
        tell: is told of what rclpy raised.
    """
    for service in node.services:
        answer = service.callback
        if service.srv_type is SetParameters:
            answer = _one_by_one(answer)
        service.callback = _guarded(service.srv_type, answer, tell)


def _guarded(kind: type, answer: Answer, tell: Callable[[Exception], None]) -> Answer:
    def guarded(request: Any, response: Any) -> Any:
        if _longest(request) > MOST:
            return _refusal(kind, f"more than {MOST} in one request")
        try:
            return _in_words(answer(request, response))
        except Exception as error:  # rclpy's, whatever it is: the node is none the worse for it
            tell(error)
            return _refusal(kind, str(error))

    return guarded


def _one_by_one(answer: Answer) -> Answer:
    """Each parameter is set or refused by itself, as the service promises: one that rclpy stumbles over is only one."""

    def set_each(request: Any, response: Any) -> Any:
        end = time.monotonic() + LONGEST
        for parameter in request.parameters:
            if time.monotonic() > end:
                response.results.append(_refused(f"those before it took {LONGEST:g} s. Set it in another request."))
                continue
            try:
                answer(SetParameters.Request(parameters=[parameter]), response)
            except ValueError as error:  # a type that there is not
                response.results.append(_refused(f"{parameter.name} has no type of a parameter ({error})"))
        return response

    return set_each


def _in_words(response: Any) -> Any:
    """An answer with the names of types where rclpy writes their numbers: ``expected '4' got '3'``."""
    results = getattr(response, "results", None) or [getattr(response, "result", None)]
    for result in results:
        if isinstance(result, SetParametersResult):
            result.reason = _NUMBERED.sub(lambda found: f"{found[1]} a {_type_name(int(found[2]))}", result.reason)
    return response


def _type_name(number: int) -> str:
    return str(Parameter.Type(number).name).lower().replace("_", " ")


def _longest(request: Any) -> int:
    lists = (getattr(request, name, ()) for name in ("parameters", "names", "prefixes"))
    return max(len(each) for each in lists)


def _refusal(kind: type, why: str) -> Any:
    """The answer that says no, as far as a service has one."""
    response = kind.Response()  # type: ignore[attr-defined]  # as every service has it
    if kind is SetParameters:
        response.results = [_refused(why)]
    elif kind is SetParametersAtomically:
        response.result = _refused(why)
    elif kind is ChangeState:
        response.success = False
    return response


def _refused(why: str) -> SetParametersResult:
    return SetParametersResult(successful=False, reason=brief(why))
