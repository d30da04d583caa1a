"""Makes the pictures of docs/recipes/, and says how good depth is from such cameras, with such settings and sensors.

    python -m tools.recipe_pictures docs/pictures --places 24

Each recipe's camera stands in computed rooms (`fastdepth rooms`). Settings are those of its file in config/, and
sensors are simulated as `fastdepth eval --anchors` does.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import colourise
from fastdepth_ros.evaluation.sensors import Scene, parse
from fastdepth_ros.models import find_bundle
from fastdepth_ros.parameters import validate
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.rooms.kinds import HALLS, ROOMS, Kind
from fastdepth_ros.scene.rooms.layout import Room
from fastdepth_ros.scene.rooms.photo import develop, random_photo
from fastdepth_ros.scene.rooms.render import render
from fastdepth_ros.scene.rooms.writer import make_room
from fastdepth_ros.scene.shapes import Pose
from tools.lens_picture import write_row

CONFIG = Path(__file__).resolve().parent.parent / "config"
WIDTH, HEIGHT = 320, 240
SEED = 2219
TRIES = 40
CLEAR = 0.45
"""Distance of the nearest thing in a picture that is worth taking, as a share of the median [m/m]."""


@dataclass(frozen=True)
class Recipe:
    """A robot's camera.

    Attributes:
        file: of its settings in config/.
        kind: of rooms that it is in.
        angle: of its view, from left to right [degrees].
        sensors: as :func:`~fastdepth_ros.evaluation.sensors.parse` takes them.
        stand: finds a pose in a room, or none.
        shown: number of the place of the picture.
    """

    file: str
    kind: Kind
    angle: float
    sensors: str
    stand: Callable[[np.random.Generator, Room], Pose | None]
    shown: int = 0


class Look(NamedTuple):
    """One place: the picture, and depth [m] in the network's cells.

    Attributes:
        truth: exact depth.
        alone: the network's own, however sure it is of it.
        anchored: with the sensors, likewise.
        recipe: the same, without what is less sure than the recipe's ``max_uncertainty``.
    """

    picture: np.ndarray
    truth: np.ndarray
    alone: np.ndarray
    anchored: np.ndarray
    recipe: np.ndarray


def looks_ahead(height: float, pitch: float) -> Callable[[np.random.Generator, Room], Pose | None]:
    """A camera so high above the floor [m], that looks so far below the horizon [rad], where nothing stands."""

    def stand(rng: np.random.Generator, room: Room) -> Pose | None:
        x, y = (rng.uniform(0.4, edge - 0.4) for edge in room.size[:2])
        if any(p.left - 0.3 < x < p.right + 0.3 and p.front - 0.3 < y < p.back + 0.3 for p in room.placed):
            return None
        middle = np.array(room.size[:2]) / 2 + rng.normal(0, 0.7, 2)
        return oriented((x, y, height), math.atan2(middle[1] - y, middle[0] - x), -pitch)

    return stand


def looks_on_a_table(rng: np.random.Generator, room: Room) -> Pose | None:
    """A camera at an arm's wrist, 55 to 85 cm from the middle of a thing as high as a table, from above."""
    tables = [p for p in room.placed if 0.6 < p.top < 0.8 and p.right - p.left + p.back - p.front > 1.3]
    if not tables:
        return None
    table = tables[int(rng.integers(len(tables)))]
    target = np.array([(table.left + table.right) / 2, (table.front + table.back) / 2, table.top])
    away, yaw, pitch = rng.uniform(0.55, 0.85), rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(35, 60))
    ahead = np.array([math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), -math.sin(pitch)])
    return oriented(tuple(target - away * ahead), yaw, -pitch)


def oriented(position: tuple[float, ...], yaw: float, pitch: float) -> Pose:
    """A level camera's pose; ``pitch`` is above the horizon [rad]."""
    forward = np.array([math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    return Pose(np.array(position, float), np.stack([right, np.cross(forward, right), forward]))


RECIPES = {
    "drone": Recipe("recipe_drone.yaml", HALLS, 70.0, "vo:150,range", looks_ahead(1.4, 0.05)),
    "floor-robot": Recipe("recipe_floor_robot.yaml", ROOMS, 62.0, "lidar,floor:0.3", looks_ahead(0.3, 0.12)),
    "arm": Recipe("recipe_arm.yaml", ROOMS, 62.0, "tof:8x8", looks_on_a_table, shown=6),
}


class Camera:
    """Answers of the shipped bundle with a recipe's settings."""

    def __init__(self, recipe: Recipe) -> None:
        values = yaml.safe_load((CONFIG / recipe.file).read_text(encoding="utf-8"))["/**"]["ros__parameters"]
        self.settings = validate({name: value for name, value in values.items() if name != "mask"}).pipeline
        self.recipe, self.bundle = recipe, find_bundle()
        self.engine, self.sensors = open_engine(module_for(self.bundle)), parse(recipe.sensors)
        focal = WIDTH / 2 / math.tan(math.radians(recipe.angle) / 2)
        self.camera = Intrinsics(WIDTH, HEIGHT, focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)

    def looks(self, count: int) -> Iterator[Look]:
        """Look from so many places, each in a room of its own."""
        index = found = 0
        while found < count:
            room, rng = make_room(SEED, index, self.recipe.kind), np.random.default_rng([SEED, index, 7])
            index += 1
            for _ in range(TRIES):
                pose = self.recipe.stand(rng, room)
                if pose is None:
                    continue
                light, depth = render(room.scene, self.camera, pose)
                known = depth[depth > 0]
                if len(known) > 0.9 * depth.size and known.min() > CLEAR * 0.3 * np.median(known):
                    yield self.look(develop(light, self.camera, random_photo(rng, self.recipe.kind)), depth, found)
                    found += 1
                    break

    def look(self, picture: np.ndarray, depth: np.ndarray, number: int) -> Look:
        """Answer one picture without and with the sensors."""
        view = self.bundle.manifest.view_of(WIDTH, HEIGHT)
        size = (view.input_width, view.input_height)
        seen = cv2.resize(np.ascontiguousarray(view.cut(picture)), size, interpolation=cv2.INTER_LINEAR)
        exact = cv2.resize(
            np.ascontiguousarray(view.cut(depth)).astype(np.float32), size, interpolation=cv2.INTER_NEAREST
        )
        exact[exact <= 0] = np.nan
        scene = Scene(exact, seen, view.intrinsics(self.camera))
        anchors = [sensor.anchors(scene, 0, number) for sensor in self.sensors]
        unlimited = replace(self.settings, max_uncertainty=0.0)
        answers = [
            self._answer(picture, *each) for each in (((), unlimited), (anchors, unlimited), (anchors, self.settings))
        ]
        return Look(picture, exact[::2, ::2], *answers)

    def _answer(self, picture: np.ndarray, anchors: object, settings: Settings) -> np.ndarray:
        pipeline = Pipeline(self.engine, self.bundle.manifest, settings)
        frame = pipeline.run(
            Picture(picture, "rgb"),
            self.camera,
            depth=False,
            cloud=False,
            anchors=anchors,
            cells=True,
            uncertainty=True,
        )
        return frame.cells.metres.copy()


def good(answer: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """delta1 of what is answered, and how much of what is known that is."""
    known = np.isfinite(truth)
    both = known & np.isfinite(answer) & (answer > 0)
    off = np.abs(np.log(answer[both] / truth[both]))
    return float((off < math.log(1.25)).mean()) if both.any() else math.nan, float(both.sum() / known.sum())


def main() -> None:
    """Write the pictures, and print delta1 and coverage, means over places."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="DIR", help="for NAME.jpg of each recipe")
    parser.add_argument("--places", type=int, default=24, metavar="N", help="to look from (%(default)s)")
    parser.add_argument("--only", choices=list(RECIPES), help="one recipe")
    args = parser.parse_args()
    for name in [args.only] if args.only else RECIPES:
        camera = Camera(RECIPES[name])
        looks = list(camera.looks(max(args.places, RECIPES[name].shown + 1)))
        sys.stdout.write(f"{name}, {len(looks)} places, {camera.recipe.sensors}\n")
        for of in ("alone", "anchored", "recipe"):
            delta, share = np.nanmean([good(getattr(each, of), each.truth) for each in looks], 0)
            sys.stdout.write(f"  {of}: delta1 {delta:.3f} of {share:.0%}\n")
        draw(args.out / f"recipe-{name}.jpg", looks[RECIPES[name].shown], camera.recipe.sensors)


def draw(out: Path, look: Look, sensors: str) -> None:
    """Write picture, true depth, depth of the network alone, and with the sensors; one colour is one depth on all."""
    near, far = (float(each) for each in np.nanpercentile(look.truth, (1, 99)))
    panels = {"picture": look.picture[..., ::-1]}
    for words, depth in {"true depth": look.truth, "network": look.alone, f"with {sensors}": look.recipe}.items():
        coloured = colourise(depth, near, far)
        panels[words] = cv2.resize(coloured, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    write_row(out, panels, HEIGHT)


if __name__ == "__main__":
    main()
