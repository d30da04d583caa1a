"""QoS of the node's topics, and how a user overrides it."""

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


def subscription_qos(queue: int = 1) -> QoSProfile:
    """QoS of the camera's topics: the newest image or none, from reliable and best-effort publishers alike.

    Of a video every packet is needed: its ``queue`` holds those of a second or two. A new one each time, because rclpy
    writes overrides into it.
    """
    return QoSProfile(depth=queue, reliability=ReliabilityPolicy.BEST_EFFORT)


def latched() -> QoSProfile:
    """QoS of a second subscription to what some publish once, for whoever comes later."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def hears_latched(qos: QoSProfile) -> bool:
    """Whether a subscription surely hears what was published once.

    A best-effort one that asks for it gets it, too, but once, and not where its end has not found the publisher yet.
    """
    return bool(qos.durability == latched().durability and qos.reliability == latched().reliability)


def keeps(publisher: Any) -> bool:
    """Whether a publisher, as the graph tells of it, sends what it published before to whoever comes later."""
    return bool(publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def publisher_qos(queue: int = 2) -> QoSProfile:
    """QoS of the answers: whoever wants every one can have it. ``queue`` is the depth of the publisher's."""
    return QoSProfile(depth=queue, reliability=ReliabilityPolicy.RELIABLE)


def anchor_qos(queue: int) -> QoSProfile:
    """QoS of what anchors come in: the newest, from reliable and best-effort publishers alike. A new one each time."""
    return QoSProfile(depth=queue, reliability=ReliabilityPolicy.BEST_EFFORT)


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
        TypeError,  # and for a depth that is none of C's
        ValueError,
    ) as error:
        remedy = (
            "Use history: keep_last or keep_all, depth: a whole number, reliability: reliable or best_effort,"
            " durability: volatile or transient_local."
        )
        raise SettingError(f"a qos_override of {topic} is not allowed ({error})", remedy) from error
