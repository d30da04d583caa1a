"""A lens cap is no room: the node says so, and answers it only where it may."""

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import camera_info_of, image_of

RNG = np.random.default_rng(0)
DARK = np.zeros((240, 320, 3), np.uint8)
BLOCKS = RNG.integers(0, 200, (12, 16, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
ROOM = BLOCKS + RNG.integers(0, 55, BLOCKS.shape, dtype=np.uint8)
REFUSED = "dropped: not worth answering (gate: drop)"


def test_a_dark_picture_is_answered_with_a_warning(start):
    graph = start(gate="warn")
    graph.calibrate(camera_info_of(320, 240))
    for _ in range(3):
        graph.ask(image_of(DARK, graph.header()), "depth", "cloud")
    graph.wait_until_it_says("input", DiagnosticStatus.WARN, "not worth answering", "too dark", "light")
    graph.wait_for(lambda: int(graph.values("input")["not worth answering"]) >= 3, "three dark pictures")
    assert REFUSED not in graph.values("inference")
    graph.end()


def test_a_dark_picture_is_not_answered_and_a_good_one_is(start):
    graph = start(gate="drop")
    graph.calibrate(camera_info_of(320, 240))
    graph.ask(image_of(ROOM, graph.header()), "depth")
    dark = [image_of(DARK, graph.header()) for _ in range(3)]
    graph.show(*dark)
    graph.wait_for(lambda: int(graph.values("inference").get(REFUSED, 0)) >= 3, "three refusals")
    assert not [depth for depth in graph.heard["depth"] if depth.header in [image.header for image in dark]]
    graph.wait_until_it_says("input", DiagnosticStatus.WARN, "too dark")
    graph.ask(image_of(ROOM, graph.header()), "depth")
    assert graph.set("gate", "off") == (True, "")
    graph.ask(image_of(DARK, graph.header()), "depth")
    graph.end()
