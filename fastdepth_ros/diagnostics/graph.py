"""Publishers, subscribers, topics and nodes as the ROS graph tells of them, whatever strangers call themselves in it.

Names come as bytes from whoever takes part. Of those that are no text rclpy makes an exception, and tells nothing of
the others either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rclpy.node import Node


def publishers_of(node: Node, topic: str) -> list[Any] | None:
    """Publishers of a topic as rclpy tells of them; None where it cannot, for a name among them is no text."""
    try:
        return list(node.get_publishers_info_by_topic(topic))
    except UnicodeDecodeError:
        return None


def subscribers_of(node: Node, topic: str) -> list[Any] | None:
    """Subscribers of a topic as rclpy tells of them; None where it cannot, for a name among them is no text."""
    try:
        return list(node.get_subscriptions_info_by_topic(topic))
    except UnicodeDecodeError:
        return None


def full_name(endpoint: Any) -> str:
    """Name of the node of a publisher or subscriber, with its namespace."""
    return joined(endpoint.node_namespace, endpoint.node_name)


def joined(namespace: str, name: str) -> str:
    """A name in a namespace."""
    return f"{namespace.rstrip('/')}/{name}"


def reader_of(node: Node, topic: str, outputs: Iterable[str]) -> tuple[str, str] | None:
    """Name of a node that publishes a topic and reads one of some outputs, and that output; None where none does."""
    publishers = {full_name(each) for each in publishers_of(node, topic) or ()}
    for output in outputs:
        for reader in map(full_name, subscribers_of(node, output) or ()):
            if reader in publishers:
                return reader, output
    return None


def topics_of(node: Node) -> list[tuple[str, list[str]]]:
    """Topics and their types; none where rclpy cannot tell them, for a name among them is no text."""
    try:
        return list(node.get_topic_names_and_types())
    except UnicodeDecodeError:
        return []


def nodes_of(node: Node) -> list[str]:
    """Full names of the nodes in the graph; none where rclpy cannot tell them, for one of them is no text."""
    try:
        return sorted(joined(where, name) for name, where in node.get_node_names_and_namespaces())
    except UnicodeDecodeError:
        return []
