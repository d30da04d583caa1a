"""Quality of service of the node's topics, and how a user overrides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.qos import InvalidQoSProfileException, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions

from fastdepth_ros.errors import SettingError


def sensor() -> QoSProfile:
    """Of what the node hears: the newest image or none, from reliable and best-effort publishers alike.

    A new one each time, because rclpy writes overrides into it.
    """
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def answer() -> QoSProfile:
    """Of what the node says: whoever wants every answer can have it."""
    return QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


@contextmanager
def qos_override(topic: str) -> Iterator[QoSOverridingOptions]:
    """Options that let parameters override history, depth and reliability of a topic.

    Raises:
        SettingError: an override is none of the policy's values.
    """
    try:
        yield QoSOverridingOptions.with_default_policies()
    except (
        InvalidParameterTypeException,
        InvalidParameterValueException,
        InvalidQosOverridesError,
        InvalidQoSProfileException,
        RuntimeError,  # rclpy's, for a word that is no policy
    ) as error:
        remedy = "Use history: keep_last or keep_all, depth: a whole number, reliability: reliable or best_effort."
        raise SettingError(f"a qos_override of {topic} is not allowed ({error})", remedy) from error
