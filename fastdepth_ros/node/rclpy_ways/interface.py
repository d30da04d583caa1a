"""Interface of the node to rclpy, whichever way is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from rclpy.context import Context
from rclpy.node import Node

MOMENT = 1e-3
"""Seconds that whoever hears an answer has the processor for, before what the answer left over is done."""

Message = tuple[bytes, Mapping[str, Any]]
"""A serialized message, and what DDS says of it: sequence numbers and times [ns] by rclpy's names."""

Item = TypeVar("Item")
Taken = TypeVar("Taken", covariant=True)


class Executor(Protocol):
    """Runs a node's callbacks in the thread that calls :meth:`spin`."""

    def spin(self) -> None:
        """Run callbacks until :meth:`stop`, or the end of the context."""

    def stop(self) -> None:
        """End :meth:`spin`; from any thread."""


class Subscriber(Protocol):
    """A subscription whose serialized messages wait in its queue until somebody takes them."""

    @property
    def subscription(self) -> Any:
        """The subscription itself, for what it says of topic, type, QoS and publishers."""

    def take(self) -> list[Message]:
        """The messages in the queue, oldest first; from any thread. None once it was destroyed."""

    def destroy(self) -> None:
        """Unsubscribe; from the executor's thread."""


class Publisher(Protocol):
    """Publishes serialized messages."""

    def count(self) -> int:
        """Count the subscribers."""

    def publish(self, serialized: bytearray) -> None:
        """Publish one; from any thread."""


class Taker(Protocol[Taken]):
    """Takes messages for the thread that waits for them."""

    @property
    def waited(self) -> Sequence[Any]:
        """Subscribers whose messages are waited for. What it takes besides wakes nobody."""

    @property
    def besides(self) -> Sequence[Any]:
        """Subscribers whose messages are made ready before they are needed: the first of each after an item wakes."""

    def take(self, waited_since: int) -> Taken | None:
        """Take what is there; what is to be worked on, if anything. ``waited_since`` [ns] is by the system's clock."""

    @property
    def is_behind(self) -> bool:
        """Whether the latest item left something over for :meth:`prepare`, which is called a moment later."""

    def prepare(self) -> None:
        """Do what items left over, and make ready what came of :attr:`besides`, while there is nothing to work on."""


class Inbox(Protocol[Item]):
    """A thread waits and works here on what another thread subscribes to."""

    def unread(self) -> list[Any]:
        """Subscribers with a message that is waited for, and that nobody took yet; from any thread."""

    def open(self, source: Taker[Item] | None) -> None:
        """Have messages taken from there from now on; None is from nowhere. Again where what is ``besides`` changed."""

    def look_up(self) -> None:
        """Have the thread that waits see whether anything changed, and take what is there."""

    def close(self) -> None:
        """End :meth:`items`."""

    def items(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Item]:
        """Wait for items, until the inbox is closed, its context ends, or they are no longer ``wanted``."""


class Way(Protocol):
    """One way to use rclpy."""

    @property
    def name(self) -> str:
        """``private`` or ``plain``."""

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """Exceptions of rclpy where an argument or a file of parameters is not allowed, or no middleware starts."""

    def executor(self, node: Node, outlive: Callable[[Exception], None]) -> Executor:
        """Make the executor of a node.

        Args:
            node: whose callbacks run there. Nothing of it is made or destroyed in another thread.
            outlive: is told of what a callback raises, ours or one of rclpy's own, and raises it where that is to end
                :meth:`Executor.spin`.
        """

    def subscriber(self, node: Node, kind: type, topic: str, qos: Any, **options: Any) -> Subscriber:
        """Subscribe; ``options`` are those of rclpy's ``create_subscription``."""

    def publisher(self, publisher: Any) -> Publisher:
        """Publish serialized messages by a publisher of rclpy's, which is not destroyed before the last of them."""

    def inbox(self, context: Context) -> Inbox[Any]:
        """Make an inbox in a node's context."""

    def logger(self, logger: Any) -> Any:
        """Give what writes lines for one of rclpy's loggers, with the same methods."""

    def parameter_overrides(self, node: Node) -> Mapping[str, object]:
        """Parameters that a node was given at its start, declared or not; none where this way cannot know."""
