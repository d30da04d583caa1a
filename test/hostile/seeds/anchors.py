"""Messages of measured depths, of inertial units and of tf, as they come from DDS."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from hostile import mutate
from hostile.seeds import cdr

FRAMES = (b"camera", b"base", b"laser", b"laser_optical_frame", b"/laser", b"", b"x")
ENCODINGS = (b"16UC1", b"32FC1", b"mono16", b"32FC1", b"rgb8", b"")
KINDS = {"f4": (7, 4, "f"), "f8": (8, 8, "d")}


def _frame(rng: Random) -> list[cdr.Field]:
    sec, nanosec, _ = cdr.header(rng)
    return [sec, nanosec, ("s", rng.choice(FRAMES))]


def _metres(rng: Random) -> float:
    return mutate.real(rng, 2.0) if rng.random() < 0.2 else rng.uniform(-1, 5)


def cloud(rng: Random, points: int = 40) -> bytes:
    """A PointCloud2 of x, y, z and perhaps what they are worth."""
    kind, size, code = KINDS[rng.choice(("f4", "f4", "f8"))]
    names = [(b"x", 1), (b"y", 1), (b"z", 1)]
    more = rng.choice((None, (b"sigma", 1), (b"covariance", 1), (b"covariance", 6), (b"covariance", 9), (b"x", 1)))
    names += [more] if more else []
    step, described = 0, list[cdr.Field]()
    for name, count in names:
        described += [("s", name), ("I", step), ("B", kind), ("I", count)]
        step += size * count
    values = [ctypes_safe(_metres(rng), code) for _ in range(points * step // size)]
    height = rng.choice((1, 1, 2))
    fields = [
        *_frame(rng), ("I", height), ("I", points // height), ("I", len(names)), *described, ("B", 0), ("I", step),
        ("I", step * points // height), ("bytes", struct.pack(f"<{len(values)}{code}", *values)), ("B", 1),
    ]  # fmt: skip
    return cdr.make(rng, fields)


def ctypes_safe(value: float, code: str) -> float:
    """The value, or an infinite one where a float32 cannot hold it."""
    return value if code == "d" or abs(value) < 3e38 or value != value else float("inf")


def scan(rng: Random) -> bytes:
    """A LaserScan."""
    ranges = [_metres(rng) for _ in range(rng.choice((0, 1, 90, 360)))]
    numbers = [("f", value) for value in (-1.5, 1.5, 3.0 / max(1, len(ranges)), 0.0, 0.1, 0.05, 12.0)]
    return cdr.make(rng, [*_frame(rng), *numbers, ("singles", ranges), ("singles", [])])


def distance(rng: Random) -> bytes:
    """A Range."""
    numbers = [("f", value) for value in (0.4, 0.02, 4.0, abs(_metres(rng)), 0.01)]
    return cdr.make(rng, [*_frame(rng), ("B", 1), *numbers])


def depth_image(rng: Random) -> bytes:
    """An Image of depth."""
    encoding = rng.choice(ENCODINGS)
    width, height = rng.choice(((8, 8), (40, 30), (1, 1)))
    size = 2 if encoding in (b"16UC1", b"mono16") else 4
    pixels = rng.randbytes(width * height * size)
    step = width * size
    fields = [
        *_frame(rng), ("I", height), ("I", width), ("s", encoding), ("B", rng.choice((0, 0, 1))), ("I", step),
        ("bytes", pixels),
    ]  # fmt: skip
    return cdr.make(rng, fields)


def imu(rng: Random) -> bytes:
    """An Imu, at rest and upright."""
    unsure = -1.0 if rng.random() < 0.5 else 0.01
    numbers = [0.0, 0.0, 0.0, 1.0, unsure, *[0.0] * 8, *[0.0] * 12, 0.0, 0.0, 9.81, *[0.0] * 9]
    return cdr.make(rng, [*_frame(rng), *(("d", value) for value in numbers)])


def transforms(rng: Random) -> bytes:
    """A TFMessage: where the sensors are, and the floor."""
    pairs = [(b"base", b"camera"), (b"base", b"laser"), (b"camera", b"x"), (b"x", b"base"), (b"laser", b"camera")]
    chosen = rng.choices(pairs, k=rng.choice((0, 1, 2, 3)))
    fields: list[cdr.Field] = [("I", len(chosen))]
    for parent, child in chosen:
        sec, nanosec, _ = cdr.header(rng)
        pose = (
            0.1,
            rng.uniform(-1, 1),
            1.0,
            *rng.choice(((0, 0, 0, 1), (-0.5, 0.5, -0.5, 0.5), (0.5, -0.5, 0.5, 0.5))),
        )
        fields += [sec, nanosec, ("s", parent), ("s", child), *(("d", float(value)) for value in pose)]
    return cdr.make(rng, fields)


MAKERS: dict[str, Callable[[Random], bytes]] = {
    "anchors": cloud,
    "scan": scan,
    "range": distance,
    "anchor_depth": depth_image,
    "imu": imu,
}


def make(rng: Random) -> bytes:
    """A case: a source, one or two of its messages, and what tf says."""
    source = rng.choice(tuple(MAKERS))
    messages = [MAKERS[source](rng) for _ in range(rng.choice((1, 1, 2)))]
    return mutate.pack(source.encode(), transforms(rng), *messages)
