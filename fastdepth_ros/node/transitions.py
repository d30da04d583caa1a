"""Transitions of the node's lifecycle: which state follows, and what they raise is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

SUCCESS, FAILURE, ERROR = (
    TransitionCallbackReturn.SUCCESS,
    TransitionCallbackReturn.FAILURE,
    TransitionCallbackReturn.ERROR,
)

UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = "unconfigured", "inactive", "active", "finalized"

FOLLOWS = {
    ("on_configure", SUCCESS): INACTIVE,
    ("on_activate", SUCCESS): ACTIVE,
    ("on_deactivate", SUCCESS): INACTIVE,
    ("on_cleanup", SUCCESS): UNCONFIGURED,
    ("on_shutdown", SUCCESS): FINALIZED,
    ("on_error", SUCCESS): UNCONFIGURED,
    ("on_error", FAILURE): FINALIZED,
    ("on_error", ERROR): FINALIZED,
}
"""State that follows a transition's outcome; a failure leaves the state, and ``on_error`` follows an error."""


class LifecycleStates(Protocol):
    """A node as a transition needs it."""

    state: str

    def fail(self, problem: str, error: Exception | None = None) -> None:
        """Say what went wrong."""

    def report_soon(self) -> None:
        """Report as soon as the transition is done."""


Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def transition(callback: Transition) -> Transition:
    """Make a transition of a callback: what it raises, which rclpy would swallow, is logged, and is an ERROR.

    The node's ``state`` is the one that follows. rclpy does not tell of it.
    """

    @wraps(callback)
    def guarded(node: LifecycleStates, state: LifecycleState) -> TransitionCallbackReturn:
        outcome = ERROR
        try:
            outcome = callback(node, state)
        except Exception as error:
            node.fail(f"{callback.__name__} failed: {error!r}. Please report this.", error)
        finally:
            node.state = FOLLOWS.get((callback.__name__, outcome), node.state)
            node.report_soon()
        return outcome

    return guarded
