"""`fastdepth view` beside a node that runs, looked at in Chromium without a screen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Browser, find_chromium
from node_graph import Graph, camera_info_of, image_of

from fastdepth_ros.view.listener import DEPTH, DEPTH_INFO, Listener

WIDTH, HEIGHT = 320, 240
SCENE = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 20) * 4
PATIENCE = 60.0
PERIOD = 0.1


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fastdepth_ros.cli", "view", *arguments]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}


class Page:
    """The command as a process, and the address that it says."""

    def __init__(self, graph: Graph, folder: Path, *arguments: str) -> None:
        self.log = folder / "view.log"
        order = command("--node", f"{graph.namespace}/fastdepth", "--port", "0", "--wait", "120", *arguments)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(order, stdout=log, stderr=subprocess.STDOUT, env=environment())
        end = time.monotonic() + PATIENCE
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)
        self.address = found[0]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()


@pytest.fixture
def page(graph: Graph, tmp_path: Path) -> Iterator[Page]:
    pytest.importorskip("viser", reason="viser is not installed: pip install 'fastdepth_ros[view]'")
    page = Page(graph, tmp_path)
    yield page
    page.end()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    pytest.importorskip("websockets", reason="websockets is not installed: pip install 'fastdepth_ros[view]'")
    if find_chromium() is None:
        pytest.skip("chromium is not installed")
    with Browser(tmp_path / "chromium") as browser:
        yield browser


@pytest.fixture
def camera(graph: Graph) -> Iterator[None]:
    """A camera that films all the while, in a thread of its own: publishing needs no callbacks."""
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    stop = threading.Event()

    def film() -> None:
        while not stop.wait(PERIOD):
            header = graph.header()
            graph.camera_infos.publish(camera_info_of(WIDTH, HEIGHT, header=header))
            graph.images.publish(image_of(SCENE, header))

    thread = threading.Thread(target=film)
    thread.start()
    yield
    stop.set()
    thread.join()


PICTURES = "[...document.images].filter(each => each.naturalWidth > 100 && each.offsetParent).length"
SLIDER = (
    "(name => { const rows = [...document.querySelectorAll('[role=slider]')];"
    " const found = rows.find(each => { let up = each; for (let i = 0; i < 8 && up; i++, up = up.parentElement)"
    " if (up.innerText && up.innerText.includes(name)) return up.querySelectorAll('[role=slider]').length === 1;"
    " return false; }); if (found) found.focus(); return !!found; })"
)


@pytest.mark.usefixtures("camera")
def test_the_page_shows_the_node_and_moves_its_parameters(graph: Graph, page: Page, browser: Browser, tmp_path: Path):
    graph.read()
    browser.open(page.address)
    browser.wait_for(lambda: "active" in browser.text(), "the node's state", graph.spin)
    browser.wait_for(lambda: browser.evaluate(PICTURES) >= 2, "picture and depth", graph.spin)
    browser.wait_for(lambda: re.search(r"age p50 / p95 / max\s+\d", browser.text()), "ages", graph.spin)
    graph.wait_for(lambda: graph.subscribers() == {"depth", "camera_info"}, "the page to be a reader")

    before = graph.get("max_rate")
    browser.wait_for(lambda: browser.evaluate(f"{SLIDER}('max_rate')"), "the slider of max_rate", graph.spin)
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
    graph.wait_for(lambda: graph.get("max_rate") == before + 1, "the parameter to be moved")

    shot = tmp_path / "page.png"
    browser.picture(shot)
    middle = cv2.imread(str(shot))[200:700, 500:1000]
    assert middle.std() > 3, "nothing is drawn where the cloud should be"
    outside = [
        each for each in browser.requests if not each.startswith((page.address, "ws://127.0.0.1", "data:", "blob:"))
    ]
    assert not outside
    assert not [each for each in browser.complaints if "Content Security Policy" in each]

    browser.open("about:blank")
    graph.wait_for(lambda: graph.subscribers() == set(), "the page to read nothing while nobody looks")


@pytest.mark.usefixtures("graph")
def test_a_node_that_is_not_there_is_told_with_those_that_are():
    pytest.importorskip("viser", reason="viser is not installed: pip install 'fastdepth_ros[view]'")
    order = command("--node", "/nobody", "--port", "0", "--wait", "0.1")
    seen = subprocess.run(order, capture_output=True, text=True, env=environment(), timeout=4 * PATIENCE, check=False)
    assert seen.returncode == 2
    assert "there is no node '/nobody'" in seen.stderr
    assert "--node" in seen.stderr


def test_viser_that_is_missing_is_told(tmp_path: Path):
    (tmp_path / "viser.py").write_text("raise ModuleNotFoundError(\"No module named 'viser'\", name='viser')\n")
    hidden = {**environment(), "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    seen = subprocess.run(command(), capture_output=True, text=True, env=hidden, timeout=4 * PATIENCE, check=False)
    assert seen.returncode == 2
    assert "pip install 'fastdepth_ros[view]'" in seen.stderr


@pytest.mark.usefixtures("camera")
def test_a_listener_hears_what_it_wants_and_nothing_else(graph: Graph):
    graph.read()
    with Listener(f"{graph.namespace}/fastdepth") as heard:
        heard.wait_for_node(PATIENCE, threading.Event())
        graph.wait_for(lambda: "node" in heard.statuses, "diagnostics")
        assert heard.newest() is None
        heard.wanted = (DEPTH, DEPTH_INFO)
        graph.wait_for(lambda: (frame := heard.newest()) is not None and frame.depth_info is not None, "a frame")
        frame = heard.newest()
        assert frame.image is None
        another = heard.newest(frame.stamp)
        assert another is None or another.stamp != frame.stamp
        heard.wanted = ()
        graph.wait_for(lambda: graph.subscribers() == set(), "it to stop reading")


def test_a_parameter_is_set_or_the_node_says_why_not(graph: Graph):
    done = {}
    with Listener(f"{graph.namespace}/fastdepth") as heard:

        def ask() -> None:
            done["set"] = heard.set("max_uncertainty", 0.5, PATIENCE)
            done["refused"] = heard.set("max_uncertainty", -1.0, PATIENCE)
            done["values"] = heard.get(["max_uncertainty", "no_such"], PATIENCE)

        thread = threading.Thread(target=ask)
        thread.start()
        graph.wait_for(lambda: not thread.is_alive(), "the answers", patience=4 * PATIENCE)
    assert done["set"] == ""
    assert "100" in done["refused"]
    assert done["values"] == {"max_uncertainty": 0.5}
    graph.set("max_uncertainty", 0.0)
