"""Words of strangers in the graph do not end the page's process."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from patience import PATIENCE, wait_for

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import serialize_message

from fastdepth_ros.harness.bystander import Bystander
from fastdepth_ros.harness.operator import NoNodeError, Operator
from fastdepth_ros.view.listener import DEPTH, KEPT, KEPT_BYTES, MOST_PARTS, PICTURE_INFO, Heard, Listener, _Box


def test_a_callback_that_raises_is_not_the_last_one():
    calls, again = [], threading.Event()

    def tick() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("a stranger's word")
        again.set()

    with Bystander("red_bystander") as bystander:
        bystander.node.create_timer(0.01, tick)
        assert again.wait(PATIENCE)


def said(part: str, topic: str) -> bytes:
    status = DiagnosticStatus(name=f"fastdepth: {part}", values=[KeyValue(key="topic", value=topic)])
    return serialize_message(DiagnosticArray(status=[status]))


def test_a_topic_that_is_none_keeps_no_other_from_being_heard():
    with Listener("/fastdepth") as heard:
        heard._on_diagnostics(said("calibration", "no topic/{x}"))
        heard.wanted = (PICTURE_INFO, DEPTH)
        wait_for(lambda: DEPTH in heard._readers)
        heard._on_diagnostics(said("calibration", "/camera_info"))
        wait_for(lambda: PICTURE_INFO in heard._readers)


def test_a_topic_that_is_no_text_keeps_no_other_from_being_heard(monkeypatch):
    with Listener("/fastdepth", "/image") as heard:
        monkeypatch.setattr(heard.node, "get_topic_names_and_types", lambda: [(b"/\xff".decode(), [])])
        heard.wanted = ("image", DEPTH)
        wait_for(lambda: DEPTH in heard._readers)


def test_a_node_that_is_no_text_keeps_nobody_from_being_told_that_ours_is_missing(monkeypatch):
    with Operator("red_operator", "/nobody") as operator:
        monkeypatch.setattr(operator.node, "get_node_names_and_namespaces", lambda: [(b"\xff".decode(), "/")])
        with pytest.raises(NoNodeError, match="there is no node"):
            operator.wait_for_node(0.0, threading.Event())


def test_somebody_who_says_that_he_is_the_node_fills_no_memory():
    with Listener("/fastdepth") as heard:
        for number in range(5 * MOST_PARTS):
            heard._on_diagnostics(said(f"part {number}", "/image"))
        heard._on_diagnostics(said("input", "/image"))
        assert len(heard.statuses) <= MOST_PARTS
        assert heard._says("input") == "/image"


def test_of_large_pictures_fewer_wait_for_their_depth():
    box = _Box()
    for stamp in range(20):
        box.keep(stamp, bytes(KEPT_BYTES // 3))
    assert [stamp for stamp, _ in box.images] == [17, 18, 19]
    box.keep(20, bytes(2 * KEPT_BYTES))
    assert [stamp for stamp, _ in box.images] == [20]
    for stamp in range(20):
        box.keep(stamp, b"small")
    assert len(box.images) == KEPT


def test_a_frame_that_nobody_thought_of_is_said_and_the_next_one_is_shown():
    pytest.importorskip("viser", reason="viser is not installed: pip install 'fastdepth_ros[view]'")
    from fastdepth_ros.view.run import Viewer

    shown: list[object] = []
    page = SimpleNamespace(coloured_by="picture", is_looked_at=True, shows=(), show=shown.append)
    viewer = Viewer(SimpleNamespace(wanted=()), page, 10.0)  # type: ignore[arg-type]
    frame = Heard(1, b"", 0.0)
    viewer._maker = SimpleNamespace(make=lambda *_: cv2.resize(np.empty((0, 0)), (1, 1)))  # type: ignore[assignment]
    viewer._show(frame)
    assert not shown
    assert "Please report this" in viewer._complaint
    viewer._maker = SimpleNamespace(make=lambda *_: SimpleNamespace(complaint=""))  # type: ignore[assignment]
    viewer._show(frame)
    assert shown
    assert not viewer._complaint
