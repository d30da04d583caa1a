"""Whatever is asked of the services that every node has, there is an answer, and the node goes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterValue, SetParametersResult
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rosgraph_msgs.msg import Clock

from fastdepth_ros.node import services

RATE = Parameter(name="max_rate", value=ParameterValue(type=3, double_value=12.0))


def strange(number: int, name: str = "cloud") -> Parameter:
    """A parameter of a type that there is not."""
    return Parameter(name=name, value=ParameterValue(type=number))


@pytest.mark.parametrize("number", [10, 99, 255])
def test_a_type_that_there_is_not_is_refused_and_what_was_asked_besides_is_done(graph, number):
    request = SetParameters.Request(parameters=[strange(number), RATE, strange(number, "no\x7fsuch")])
    results = graph.call(SetParameters, "set_parameters", request).results
    assert [result.successful for result in results] == [False, True, False]
    assert str(number) in results[0].reason
    assert graph.get("max_rate") == 12.0
    assert graph.get("cloud") == "xyz"


@pytest.mark.parametrize("number", [10, 255])
def test_a_type_that_there_is_not_is_refused_among_others_that_belong_together(graph, number):
    graph.set("max_rate", 5.0)
    request = SetParametersAtomically.Request(parameters=[RATE, strange(number)])
    assert not graph.call(SetParametersAtomically, "set_parameters_atomically", request).result.successful
    assert graph.get("max_rate") == 5.0


STRANGE_NAMES = ["", ".", "no such", "a" * 100_000, "qos_overrides.", "use_sim_time", "\x00", "\ud7ff\U0010ffff"]


def test_strange_names_have_an_answer(graph):
    for name in STRANGE_NAMES:
        for kind in (GetParameters, GetParameterTypes, DescribeParameters):
            service = {GetParameters: "get_parameters", GetParameterTypes: "get_parameter_types"}
            graph.call(kind, service.get(kind, "describe_parameters"), kind.Request(names=[name]))
        for number in range(11):
            request = SetParameters.Request(parameters=[strange(number, name)])
            assert len(graph.call(SetParameters, "set_parameters", request).results) == 1
        graph.call(ListParameters, "list_parameters", ListParameters.Request(prefixes=[name], depth=2**63))
    assert graph.set("use_sim_time", False)[0]
    assert graph.state == "active"


def test_a_parameter_without_a_name_is_refused(graph):
    nameless = Parameter(name="", value=ParameterValue(type=4, string_value="x"))
    request = SetParameters.Request(parameters=[nameless, RATE])
    results = graph.call(SetParameters, "set_parameters", request).results
    assert [result.successful for result in results] == [False, True]
    assert "name" in results[0].reason
    assert graph.get("max_rate") == 12.0


def test_a_request_without_end_is_refused_at_once(graph):
    names = ["max_rate"] * 200_000
    assert not graph.call(GetParameters, "get_parameters", GetParameters.Request(names=names)).values
    results = graph.call(SetParameters, "set_parameters", SetParameters.Request(parameters=[RATE] * 2000)).results
    assert [result.successful for result in results] == [False]


def test_a_type_that_nobody_knows_is_not_described(graph):
    described = pytest.importorskip("type_description_interfaces.srv", reason="this ROS describes no types")
    request = described.GetTypeDescription.Request(type_name="no/such/Type", type_hash="RIHS01_" + "x" * 64)
    assert not graph.call(described.GetTypeDescription, "get_type_description", request).successful


@pytest.mark.parametrize(
    ("number", "label"), [(1, ""), (3, ""), (8, ""), (10, ""), (61, ""), (255, ""), (0, "no such"), (0, "x" * 100_000)]
)
def test_a_transition_that_is_not_allowed_is_answered_no(graph, number, label):
    request = ChangeState.Request(transition=Transition(id=number, label=label))
    assert not graph.call(ChangeState, "change_state", request, again=False).success
    assert graph.state == "active"


def test_a_clock_that_lies_does_not_end_the_node(start):
    graph = start(use_sim_time=True)
    clock = graph.node.create_publisher(Clock, "/clock", 10)
    message = Clock()
    for second, nanosecond in [(-5, 0), (-(2**31), 2**32 - 1), (2**31 - 1, 2**32 - 1), (0, 0), (7, 0), (5, 0)]:
        message.clock.sec, message.clock.nanosec = second, nanosecond
        for _ in range(5):
            clock.publish(message)
            graph.spin(0.05)
    graph.next_reports()
    assert graph.state == "active"
    assert graph.statuses["node"].level != DiagnosticStatus.ERROR


def test_parameters_that_take_long_do_not_hold_up_all_else_for_minutes(monkeypatch):
    """A mask is a file, and a thousand of them in one request kept diagnostics and lifecycle waiting."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(services, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def slow(request: SetParameters.Request, response: SetParameters.Response) -> SetParameters.Response:
        clock.now += 0.5
        response.results += [SetParametersResult(successful=True) for _ in request.parameters]
        return response

    service = SimpleNamespace(srv_type=SetParameters, callback=slow)
    services.guard_services(SimpleNamespace(services=[service]), pytest.fail)
    many = [Parameter(name="mask", value=ParameterValue(type=4, string_value=f"{n}.png")) for n in range(1000)]
    results = service.callback(SetParameters.Request(parameters=many), SetParameters.Response()).results
    assert len(results) == 1000
    assert sum(result.successful for result in results) * 0.5 <= services.LONGEST + 0.5
    assert "another request" in results[-1].reason
