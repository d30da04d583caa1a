"""rclpy's executor, with a shorter way for the camera's messages and for timers.

For every message rclpy asks each of a node's entities anew, in Python, whether and how it can be waited for: more than
thirty here, most of them events that never come. That was more than half of the processor time that a frame cost beside
the network. Here one wait set of all of them is kept, and a message of the camera is handed on as soon as it is there;
while the camera sends, events, as of somebody whose QoS does not fit, are only looked for once a second, and what comes
with every image, as its camera_info, wakes nobody: it is taken just before the image. Timers are called here, too: each
turn of rclpy's costs as much as the node's report. Whatever else is ready is left to rclpy, which finds it ready still:
waiting uses up nothing but guard conditions, so the node's are triggered again, and those of rclpy are not waited for
here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import HistoryPolicy
from rclpy.signals import SignalHandlerGuardCondition

rcl: Any = rclpy_implementation  # its types are not those of every release
FOREVER = -1
EVENTS_PERIOD = 1.0
"""Seconds for which events may wait while messages of the camera come."""

OTHERS = ("client", "service")
"""Kinds of entities that a wait set lists and rclpy takes care of, besides subscriptions and guard conditions."""


class NodeExecutor(SingleThreadedExecutor):  # type: ignore[misc]  # rclpy ships no types
    """Runs the callbacks of one node in the thread that calls :meth:`spin`.

    Args:
        node: whose they are. Nothing of it is made or destroyed in another thread.
        camera: the subscriptions that take the shorter way; their callbacks take message and info. The first is waited
            for, the others are read when one of its messages came, or it is time for a timer.

    Callbacks of the node's timers take no arguments.
    """

    def __init__(self, node: Node, camera: Callable[[], list[Any]]) -> None:
        super().__init__(context=node.context)
        self._own_node = node
        self._camera = camera
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
                self._hand_on_messages()
                if self.context.ok():
                    self.spin_once(timeout_sec=0)
        except rcl.RCLError:
            if self.context.ok():  # else the context was shut down between a question and its use
                raise

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop; see rclpy."""
        self._stopped = True
        self._woken.trigger()
        return bool(super().shutdown(timeout_sec))

    def _hand_on_messages(self) -> None:
        """Hand on what the camera sends until something else is ready."""
        camera = self._camera()
        node, waitables = self._own_node, list(self._own_node.waitables)
        entities: dict[str, list[Any]] = {  # in the order in which a wait set is told their numbers
            "subscription": [each for each in node.subscriptions if each not in camera[1:]],
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
            self._wait(entities, waitables, camera)

    def _wait(self, entities: dict[str, list[Any]], waitables: list[Any], camera: list[Any]) -> None:
        """The same, with what is waited for."""
        counts = [waitable.get_num_entities() for waitable in waitables]
        urgent = [each for each, count in zip(waitables, counts, strict=True) if not _is_event(count)]
        sizes = [len(each) + sum(getattr(c, f"num_{kind}s") for c in counts) for kind, each in entities.items()]
        wait_set = rcl.WaitSet(*sizes, self.context.handle)
        adding = [(getattr(wait_set, f"add_{kind}"), each.handle) for kind in entities for each in entities[kind]]
        images = camera[0].handle.pointer if camera else None
        besides = [(each, _kept(each)) for each in camera[1:]]
        others, looked = False, -EVENTS_PERIOD
        while not others:
            left = looked + EVENTS_PERIOD - time.monotonic()
            wait_set.clear_entities()
            for add, handle in adding:
                add(handle)
            for waitable in waitables if left <= 0 else urgent:
                waitable.add_to_wait_set(wait_set)
            wait_set.wait(FOREVER if left <= 0 else int(left * 1e9))
            ready = wait_set.get_ready_entities("subscription")
            guards = wait_set.get_ready_entities("guard_condition")
            timers = wait_set.get_ready_entities("timer")
            if timers or images in ready:
                for each, kept in besides:
                    drain(each, kept)
            if images in ready:
                hand_on(camera[0])
                if left > 0 and not guards and not timers:
                    continue  # what else is ready is ready still at the next turn
            for timer in entities["timer"] if timers else ():
                call(timer)
            others = bool(guards) or any(pointer != images for pointer in ready)
            others = others or any(wait_set.get_ready_entities(kind) for kind in OTHERS)
            if left <= 0:
                others = others or any(wait_set.is_ready("event", index) for index in range(sizes[-1]))
                looked = time.monotonic()
        for guard in self._own_node.guards:
            if guard.handle.pointer in guards:
                guard.trigger()


def _is_event(count: Any) -> bool:
    """Whether a waitable of so many entities waits for events alone."""
    kinds = ("subscription", "guard_condition", "timer", "client", "service")
    return not any(getattr(count, f"num_{kind}s") for kind in kinds)


def hand_on(subscription: Any) -> bool:
    """Take a message and call back with it and its info; False if there is none."""
    with subscription.handle:
        taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
    if taken is None:
        return False
    subscription.callback(*taken)
    return True


def _kept(subscription: Any) -> int:
    """How many messages the middleware keeps for it at most."""
    qos = subscription.qos_profile
    return (qos.depth if qos.history == HistoryPolicy.KEEP_LAST else 0) or sys.maxsize


def drain(subscription: Any, kept: int) -> None:
    """Hand on all that is kept for it; to ask once more whether there is anything would cost as much as a message."""
    for _ in range(kept):
        if not hand_on(subscription):
            break


def call(timer: Any) -> None:
    """Call back if it is time."""
    try:
        with timer.handle:
            if not timer.handle.is_timer_ready():
                return
            timer.handle.call_timer()
    except rcl.InvalidHandle:  # a callback destroyed it
        return
    timer.callback()
