"""A value of a browser that the node cannot be given does not end the thread that gives it others."""

from __future__ import annotations

import pytest
from patience import wait_for

pytest.importorskip("rclpy", reason="ROS 2 is not installed")
pytest.importorskip("viser", reason="viser is not installed: pip install 'fastdepth_ros[view]'")

from fastdepth_ros.view.run import Setter


class Page:
    is_looked_at = False

    def __init__(self) -> None:
        self.refused: list[str] = []

    def refuse(self, why: str) -> None:
        self.refused.append(why)

    def set_parameters(self, values: dict[str, object]) -> None:
        pass


class Node:
    """A node that takes numbers."""

    def __init__(self) -> None:
        self.taken: list[object] = []

    def get(self, *_: object) -> dict[str, object]:
        return {}

    def set(self, _name: str, value: object, _seconds: float) -> str:
        self.taken.append(float(value))  # type: ignore[arg-type]
        return ""


def test_a_value_that_is_none_is_refused_and_the_next_one_is_set():
    node, page = Node(), Page()
    setter = Setter(node)  # type: ignore[arg-type]
    setter.start(page)  # type: ignore[arg-type]
    setter.move("max_depth", {"not": "a number"})
    wait_for(lambda: bool(page.refused))
    assert "TypeError" in page.refused[-1]
    setter.move("max_depth", 5)
    wait_for(lambda: node.taken == [5.0])
    setter.end()
