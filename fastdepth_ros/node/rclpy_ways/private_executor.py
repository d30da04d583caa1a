"""rclpy's executor with a shorter way for timers, which uses what is not public of rclpy."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerGuardCondition

rcl: Any = rclpy_implementation  # its types are not those of every release
FOREVER = -1

EVENTS_PERIOD = 1.0
"""Seconds for which events may wait while messages come."""

PAUSE = 0.005
"""Seconds of rest after a fault: one that comes again at once is not to take the processor."""

OTHERS = ("subscription", "guard_condition", "client", "service")
"""Kinds of entities that a wait set lists and rclpy takes care of."""


class PrivateExecutor(SingleThreadedExecutor):  # type: ignore[misc]  # rclpy ships no types
    """Runs the callbacks of one node; callbacks of its timers take no arguments.

    At each of its turns rclpy asks each of a node's entities anew, in Python, whether and how it can be waited for:
    more than thirty here, most of them events that never come. One turn costs as much as a node's report. Here one wait
    set of all of them is kept, and timers are called as soon as it is time. Whatever else is ready is left to rclpy,
    which finds it ready still: waiting uses up nothing but guard conditions, so the node's are triggered again, and
    those of rclpy are not waited for here. Whoever waits for events of a subscription is woken by its messages, too, so
    events, as of somebody whose QoS does not fit, are only looked for once a second.

    Arguments are those of :meth:`fastdepth_ros.node.rclpy_ways.interface.Way.executor`.
    """

    def __init__(self, node: Node, outlive: Callable[[Exception], None]) -> None:
        super().__init__(context=node.context)
        self._own_node = node
        self._outlive = outlive
        self._stopped = False
        self._woken = GuardCondition(None, None, context=node.context)
        self._interrupted = SignalHandlerGuardCondition(node.context)
        self.add_node(node)

    def wake(self) -> None:
        """See that something changed: rclpy calls this when an entity is made or destroyed."""
        super().wake()
        self._woken.trigger()

    def spin(self) -> None:
        """Run callbacks until shutdown; see rclpy."""
        try:
            while self.context.ok() and not self._stopped:
                self._call_timers()
                if self.context.ok() and not self._stopped:
                    self._guard_from_faults(lambda: self.spin_once(timeout_sec=0))
        except rcl.RCLError:
            if self.context.ok():  # else the context was shut down between a question and its use
                raise

    def stop(self) -> None:
        """End :meth:`spin`; from any thread."""
        self._stopped = True
        self._woken.trigger()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop; see rclpy."""
        self.stop()
        return bool(super().shutdown(timeout_sec))

    def _guard_from_faults(self, do: Callable[[], object]) -> None:
        """Do it; what it raises is for ``outlive`` to judge."""
        try:
            do()
        except ExternalShutdownException:
            raise
        except Exception as error:
            if self.context.ok():  # else it was shut down under the callback's feet
                self._outlive(error)
                time.sleep(PAUSE)

    def _call_timers(self) -> None:
        """Call timers until something else is ready."""
        node, waitables = self._own_node, list(self._own_node.waitables)
        entities: dict[str, list[Any]] = {  # in the order in which a wait set is told their numbers
            "subscription": [each for each in node.subscriptions if each.callback_group.can_execute(each)],
            "guard_condition": [*node.guards, self._woken, self._interrupted],
            "timer": list(node.timers),
            "client": list(node.clients),
            "service": list(node.services),
            "event": [],  # those of the waitables alone
        }
        with ExitStack() as held:
            try:
                for each in chain((self.context,), *entities.values()):
                    held.enter_context(each.handle)
                for waitable in waitables:
                    held.enter_context(waitable)
            except rcl.InvalidHandle:  # it is being destroyed at this moment
                return
            self._wait(entities, waitables)

    def _wait(self, entities: dict[str, list[Any]], waitables: list[Any]) -> None:
        """Wait for some entities, and take up what is ready."""
        counts = [waitable.get_num_entities() for waitable in waitables]
        urgent = [each for each, count in zip(waitables, counts, strict=True) if not _is_event(count)]
        sizes = [len(each) + sum(getattr(c, f"num_{kind}s") for c in counts) for kind, each in entities.items()]
        wait_set = rcl.WaitSet(*sizes, self.context.handle)
        adding = [(getattr(wait_set, f"add_{kind}"), each.handle) for kind in entities for each in entities[kind]]
        others, looked = False, -EVENTS_PERIOD
        while not others:
            left = looked + EVENTS_PERIOD - time.monotonic()
            wait_set.clear_entities()
            for add, handle in adding:
                add(handle)
            for waitable in waitables if left <= 0 else urgent:
                waitable.add_to_wait_set(wait_set)
            wait_set.wait(FOREVER if left <= 0 else int(left * 1e9))
            guards = wait_set.get_ready_entities("guard_condition")
            others = any(wait_set.get_ready_entities(kind) for kind in OTHERS)
            if left <= 0:
                others = others or any(wait_set.is_ready("event", index) for index in range(sizes[-1]))
                looked = time.monotonic()
            for timer in entities["timer"] if wait_set.get_ready_entities("timer") else ():
                self._guard_from_faults(lambda timer=timer: _call(timer))  # type: ignore[misc]  # of this turn
        for guard in self._own_node.guards:
            if guard.handle.pointer in guards:
                guard.trigger()


def _is_event(count: Any) -> bool:
    """Whether a waitable of so many entities waits for events alone."""
    kinds = ("subscription", "guard_condition", "timer", "client", "service")
    return not any(getattr(count, f"num_{kind}s") for kind in kinds)


def _call(timer: Any) -> None:
    """Call back if it is time."""
    try:
        with timer.handle:
            if not timer.handle.is_timer_ready():
                return
            timer.handle.call_timer()
    except rcl.InvalidHandle:  # a callback destroyed it
        return
    timer.callback()
