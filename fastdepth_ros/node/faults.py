"""Faults of the node, told in the log and outlived."""

from __future__ import annotations

import traceback
from typing import Any

from fastdepth_ros.errors import brief

MOST_KINDS = 50
"""Kinds of faults that are told."""


class Faults:
    """Tells of exceptions.

    Args:
        logger: of the node.
    """

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._kinds: set[str] = set()

    def log(self, error: Exception) -> None:
        """Log what should never be raised, with all that helps to find it."""
        self._logger.error("".join(traceback.format_exception(error)), throttle_duration_sec=5.0)

    def outlive(self, error: Exception) -> None:
        """Log what a callback raised, ours or one of rclpy's own, once of each kind."""
        where = traceback.extract_tb(error.__traceback__)[-1:]
        kind = f"{type(error).__name__} in {where[0].name} ({where[0].filename}:{where[0].lineno})" if where else ""
        if kind not in self._kinds and len(self._kinds) < MOST_KINDS:
            self._kinds.add(kind)
            self._logger.error(f"{brief(error)}: {kind}. The node goes on; this kind is told once.")
