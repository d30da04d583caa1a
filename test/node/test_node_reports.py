"""A report is made for whoever reads it, and for nobody else."""

from __future__ import annotations

import os
import time

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.reports import Reporter
from fastdepth_ros.parameters import Parameters

PATIENCE = 30.0


@pytest.fixture
def node(domain):  # noqa: ARG001
    """A node on a graph of its own: others read /diagnostics, too."""
    context = Context()
    rclpy.init(args=[], context=context, domain_id=60 + os.getpid() % 40)
    node = rclpy.create_node("reporting", context=context)
    yield node
    node.destroy_node()
    context.shutdown()


@pytest.fixture
def power():
    power = NodePower(Parameters(), time.time)
    yield power
    power.close()


class Looked:
    """The node's power, which remembers whether anybody asked it for a report."""

    def __init__(self, power):
        self.power, self.asked = power, 0

    def report(self, report):
        self.asked += 1
        return self.power.report(report)

    def __getattr__(self, name):
        return getattr(self.power, name)


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_nothing_is_made_for_nobody(node, power):
    reporter, looked = Reporter(node, {}), Looked(power)
    reporter.publish("unconfigured", looked, ())
    assert looked.asked == 0
    heard = []
    reading = SingleThreadedExecutor(context=node.context)
    reading.add_node(node)
    node.create_subscription(DiagnosticArray, "reporting/performance", heard.append, 10)

    def told():
        reporter.publish("unconfigured", looked, ())
        reading.spin_once(timeout_sec=0.05)
        return heard

    wait_for(told)
    assert looked.asked
    assert [status.name.split(": ")[1] for status in heard[0].status] == ["performance"]
    reading.shutdown()
