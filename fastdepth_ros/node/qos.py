"""Quality of service of the node's topics, and how a user overrides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.qos import (
    DurabilityPolicy,
    InvalidQoSProfileException,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions

from fastdepth_ros.errors import SettingError

OVERRIDABLE = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)


def sensor() -> QoSProfile:
    """QoS of what the node hears: the newest image or none, from reliable and best-effort publishers alike.

    A new one each time, because rclpy writes overrides into it.
    """
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def latched() -> QoSProfile:
    """QoS of a second subscription to what some publish once, for whoever comes later."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def keeps(publisher: Any) -> bool:
    """Whether a publisher, as the graph tells of it, sends what it published before to whoever comes later."""
    return bool(publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def answer() -> QoSProfile:
    """QoS of what the node says: whoever wants every answer can have it."""
    return QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


@contextmanager
def qos_override(topic: str) -> Iterator[QoSOverridingOptions]:
    """Options that let parameters override history, depth, reliability and durability of a topic.

    Raises:
        SettingError: an override is none of the policy's values.
    """
    try:
        yield QoSOverridingOptions(OVERRIDABLE)
    except (
        InvalidParameterTypeException,
        InvalidParameterValueException,
        InvalidQosOverridesError,
        InvalidQoSProfileException,
        RuntimeError,  # rclpy's, for a word that is no policy
    ) as error:
        remedy = (
            "Use history: keep_last or keep_all, depth: a whole number, reliability: reliable or best_effort,"
            " durability: volatile or transient_local."
        )
        raise SettingError(f"a qos_override of {topic} is not allowed ({error})", remedy) from error
