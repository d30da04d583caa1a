"""Elements of the page: the cloud in the middle, pictures on the left, figures and parameters on the right."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from fastdepth_ros.view import figures, moment
from fastdepth_ros.view.knobs import KNOBS, Knob
from fastdepth_ros.view.moment import COLOURS, Moment
from fastdepth_ros.view.server import PageServer

EYE, LOOKS_AT = (-1.2, -1.4, -2.2), (-0.2, 0.2, 2.4)
"""Place from which the page looks at first, and at which, in the camera's optical frame [m]."""

FIELD_OF_VIEW, ASPECT = math.radians(45), 4 / 3
"""The camera's pyramid: vertical angle, and width over height; no calibration is needed to see where it stands."""

JPEG_QUALITY = 80

WORDS = {
    moment.PICTURE: "picture",
    moment.DEPTH: "depth",
    moment.UNCERTAINTY: f"uncertainty: black is sure, yellow is off by {moment.DOUBT_FULL:.0%} and more",
}

Moved = Callable[[str, Any], None]


class Page:
    """The elements of the page, and what they show: parameters by one thread, all else by another.

    Args:
        server: serves it.
        node: full name of depth_node, for the heading.
        moved: called with a parameter's name and value when somebody moves it; None shows no parameters.
    """

    def __init__(self, server: PageServer, node: str, moved: Moved | None) -> None:
        self._server = server
        self._moved = moved
        self._knobs: dict[str, Any] = {}
        gui, scene = server.gui, server.scene
        gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False, control_width="large")
        scene.set_up_direction("-y")
        server.initial_camera.position, server.initial_camera.look_at = EYE, LOOKS_AT
        self._cloud = scene.add_point_cloud(
            "/cloud", np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), point_size=0.012, point_shading="flat"
        )
        scene.add_camera_frustum("/camera", FIELD_OF_VIEW, ASPECT, scale=0.25, color=(230, 230, 230))
        self._add_pictures()
        with gui.add_folder(f"Node {node}"):
            self._figures = gui.add_html(figures.table([("state", "waiting for diagnostics")]))
        with gui.add_folder("Problems"):
            self._problems = gui.add_html(figures.listed([]))
        self._parameters = gui.add_folder("Parameters", visible=False)
        with self._parameters:
            self._refusal = gui.add_html("", visible=False)
        gui.main_panel.dock_right()

    @property
    def is_looked_at(self) -> bool:
        """Whether a browser shows the page."""
        return bool(self._server.get_clients())

    @property
    def shows(self) -> frozenset[str]:
        """Pictures of :data:`~.moment.COLOURS` that somebody wants to see."""
        wanted = {name for name, box in self._boxes.items() if box.value}
        return frozenset(wanted | {self._coloured_by.value})

    @property
    def coloured_by(self) -> str:
        """Meaning of the colours of the cloud's points."""
        return str(self._coloured_by.value)

    def show(self, seen: Moment) -> None:
        """Show a frame."""
        with self._server.atomic():
            self._cloud.points, self._cloud.colors = seen.points.astype(np.float16), seen.colours
            for name, handle in self._images.items():
                if not self._boxes[name].value:
                    handle.visible = False
                elif name in seen.pictures:
                    handle.visible, handle.image = True, np.ascontiguousarray(seen.pictures[name][..., ::-1])
            near, far = seen.reach
            self._images[moment.DEPTH].label = f"depth: red {near:.1f} m, blue {far:.1f} m, grey has no answer"

    def tell(self, rows: Sequence[tuple[str, str]], problems: Sequence[str]) -> None:
        """Show what the node says of itself."""
        self._figures.content, self._problems.content = figures.table(rows), figures.listed(problems)

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Have the parameters stand where the node's are: what it does not have is not shown."""
        if self._moved is None:
            return
        for knob in KNOBS:
            if knob.name not in values:
                continue
            if knob.name not in self._knobs:
                self._knobs[knob.name] = self._add_knob(knob, values, self._moved)
            self._turn(self._knobs[knob.name], knob, values)
        self._parameters.visible = bool(self._knobs)

    def refuse(self, why: str) -> None:
        """Say why the node did not take a value; nothing takes that back."""
        self._refusal.content, self._refusal.visible = figures.listed([why]) if why else "", bool(why)

    def _add_pictures(self) -> None:
        gui = self._server.gui
        panel = gui.add_panel()
        with panel.add_tab("Pictures"):
            blank = np.full((3 * moment.WIDTH // 4, moment.WIDTH, 3), 40, np.uint8)
            self._images = {
                name: gui.add_image(blank, label=words, format="jpeg", jpeg_quality=JPEG_QUALITY, visible=False)
                for name, words in WORDS.items()
            }
            self._boxes = {
                name: gui.add_checkbox(f"show {name}", name != moment.UNCERTAINTY, hint=_COSTS.get(name))
                for name in COLOURS
            }
            self._coloured_by = gui.add_dropdown("points show", COLOURS)
        panel.dock_left()
        panel.set_width(moment.WIDTH + 30)

    def _add_knob(self, knob: Knob, values: Mapping[str, Any], moved: Moved) -> Any:
        value, gui = values[knob.name], self._server.gui
        with self._parameters:
            if knob.is_slider:
                low, high = knob.span(float(value))
                handle: Any = gui.add_slider(knob.label, low, high, knob.step, float(value), hint=knob.hint)
            else:
                handle = gui.add_dropdown(knob.label, knob.choices(values), initial_value=str(value), hint=knob.hint)

        def on_update(event: Any) -> None:
            if event.client is not None:  # else it was turned here
                moved(knob.name, event.target.value)

        handle.on_update(on_update)
        return handle

    def _turn(self, handle: Any, knob: Knob, values: Mapping[str, Any]) -> None:
        value = values[knob.name]
        if knob.is_slider:
            handle.min, handle.max = knob.span(float(value))
        elif str(value) not in handle.options:
            handle.options = knob.choices(values)
        with suppress(ValueError):
            handle.value = type(handle.value)(value)


_COSTS = {
    moment.UNCERTAINTY: "The node computes it for whoever reads it: a few tenths of a millisecond a frame.",
}
