"""Measures what the gate refuses of good pictures, and what it catches of made-up faults.

    python -m tools.gate_faults FOLDER_OR_TAR_OR_RECORDING... [--every 4]
    python -m tools.gate_faults --sheet docs/pictures/gate.jpg

Each picture is seen as the node sees it, through the default bundle's view, as it is and with each fault. Prints two
tables: good pictures refused, set by set, and faults caught, one by one. ``--sheet`` shows the faults instead, made of
the computed room.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.dataset import open_source
from fastdepth_ros.evaluation.frames import is_recording, labelled
from fastdepth_ros.filters.gate import Fault, Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.models import find_bundle
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room

Pixels = npt.NDArray[np.uint8]
Make = Callable[[Pixels, np.random.Generator], Pixels]


def noisy(pixels: npt.NDArray[np.floating], rng: np.random.Generator, sigma: float) -> Pixels:
    """Pixels as a sensor reads them."""
    return np.clip(pixels + rng.normal(0, sigma, pixels.shape), 0, 255).astype(np.uint8)


def dark(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A twentieth of the light, and the noise of a high gain."""
    return noisy(pixels / 20.0, rng, 4)


def overexposed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """So much light that four pixels of five are at their limit."""
    return noisy(pixels * (255 / max(1.0, float(np.percentile(pixels, 20)))), rng, 2)


def covered(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A finger: one colour that fades to a side, and a trace of the room."""
    colour = rng.uniform((120, 30, 20), (220, 110, 100))
    fade = np.linspace(0.94, 1.06, pixels.shape[1])[None, :, None]
    return noisy(0.98 * colour * fade + 0.02 * pixels, rng, 3)


def unfocused(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A circle of confusion of 2 to 4 % of the width."""
    sigma = pixels.shape[1] * rng.uniform(0.01, 0.02)
    return noisy(cv2.GaussianBlur(pixels, (0, 0), sigma).astype(np.float64), rng, 1.5)


def smeared(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A motion over 5 to 10 % of the width in any direction while the shutter is open."""
    length = round(pixels.shape[1] * rng.uniform(0.05, 0.10))
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    middle, reach = length / 2, length / 2 * np.array((np.cos(angle), np.sin(angle)))
    ends = [tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return noisy(cv2.filter2D(pixels, cv2.CV_64F, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), rng, 1.5)


def green(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The lower part, from anywhere on, as a decoder leaves it that got nothing."""
    broken = pixels.copy()
    broken[round(pixels.shape[0] * rng.uniform(0.0, 0.7)) :] = (0, 135, 0) if rng.random() < 0.5 else (0, 77, 0)
    return broken


PANEL = (240, 180)

FAULTS: dict[str, tuple[Make, Fault]] = {
    "dark": (dark, Fault.DARK),
    "overexposed": (overexposed, Fault.OVEREXPOSED),
    "covered": (covered, Fault.COVERED),
    "unfocused": (unfocused, Fault.BLURRED),
    "smeared": (smeared, Fault.BLURRED),
    "green": (green, Fault.GREEN),
}


def pictures(path: Path, every: int) -> Iterator[tuple[str, Pixels]]:
    """Set and pixels of every n-th picture."""
    if is_recording(path):
        for number, picture in enumerate(labelled([path])):
            if number % every == 0:
                yield path.name, picture.frame.pixels
    else:
        for sample in open_source(path)[::every]:
            yield sample.set, sample.read().pixels


def sheet() -> Pixels:
    """The computed room without and with each fault, and what the gate says, BGR."""
    rng = np.random.default_rng(1)
    room = Renderer(build_room(), CAMERA).render(pose_at(0.3), 0).picture
    makes: dict[str, Make] = {"": lambda pixels, _: pixels, **{name: make for name, (make, _) in FAULTS.items()}}
    panels = []
    for make in makes.values():
        seen = np.asarray(cv2.resize(make(room, rng), PANEL, interpolation=cv2.INTER_AREA), np.uint8)
        fault = Gate().look(Halves(np.asarray(cv2.resize(make(room, rng), (224, 224)), np.uint8)), 0.0)
        panel = cv2.copyMakeBorder(seen[..., ::-1], 24, 4, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        words, ink = (fault.words, (40, 40, 200)) if fault else ("worth answering", (60, 120, 40))
        cv2.putText(panel, words, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, 1, cv2.LINE_AA)
        panels.append(panel)
    panels.append(np.full_like(panels[0], 255))
    half = len(panels) // 2
    return np.asarray(np.vstack((np.hstack(panels[:half]), np.hstack(panels[half:]))), np.uint8)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--sheet", type=Path, help="the picture to write")
    parser.add_argument("--every", type=int, default=1, help="of the pictures [%(default)s]")
    args = parser.parse_args()
    if args.sheet:
        cv2.imwrite(str(args.sheet), sheet(), (cv2.IMWRITE_JPEG_QUALITY, 85))
        return
    manifest, rng = find_bundle().manifest, np.random.default_rng(1)
    size = (manifest.input_width, manifest.input_height)
    good: defaultdict[str, Counter[str]] = defaultdict(Counter)
    caught: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def look(pixels: Pixels, gate: Gate, now: float = 0.0) -> Fault | None:
        cut = manifest.view_of(pixels.shape[1], pixels.shape[0]).cut(pixels, 1)
        return gate.look(Halves(np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR), np.uint8)), now)

    for path in args.paths:
        for name, pixels in pictures(path, args.every):
            found = look(pixels, Gate())
            good[name][found.words if found else "good"] += 1
            for fault, (make, right) in FAULTS.items():
                found = look(make(pixels, rng), Gate())
                caught[fault]["right" if found is right else found.words if found else "missed"] += 1
            gate = Gate()
            found = [look(pixels, gate, now) for now in (0.0, 3.0, 6.0)][-1]
            caught["frozen"]["right" if found is Fault.FROZEN else found.words if found else "missed"] += 1
    sys.stdout.write("| set | pictures | refused |\n|---|---|---|\n")
    for name, counts in good.items():
        refused = ", ".join(f"{count} {words}" for words, count in counts.items() if words != "good")
        sys.stdout.write(f"| {name} | {sum(counts.values())} | {refused or 'none'} |\n")
    refused_count = sum(sum(counts.values()) - counts["good"] for counts in good.values())
    everything = sum(sum(counts.values()) for counts in good.values())
    sys.stdout.write(f"\nrefused: {refused_count} of {everything}, {100 * refused_count / everything:.2f} %\n")
    sys.stdout.write("\n| fault | caught by its name [%] | caught [%] | as |\n|---|---|---|---|\n")
    for fault, counts in caught.items():
        count = sum(counts.values())
        others = ", ".join(f"{number} {words}" for words, number in counts.items() if words not in ("right", "missed"))
        right, any_name = counts["right"] / count, 1 - counts["missed"] / count
        sys.stdout.write(f"| {fault} | {100 * right:.1f} | {100 * any_name:.1f} | {others} |\n")


if __name__ == "__main__":
    main()
