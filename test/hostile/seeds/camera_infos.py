"""sensor_msgs/CameraInfo as it comes from DDS."""

from __future__ import annotations

from random import Random

from hostile.seeds import cdr

K = (30.0, 0.0, 15.5, 0.0, 30.0, 11.5, 0.0, 0.0, 1.0)
P = (30.0, 0.0, 15.5, 0.0, 0.0, 30.0, 11.5, 0.0, 0.0, 0.0, 1.0, 0.0)
MODELS = (b"plumb_bob", b"", b"pinhole", b"equidistant", b"rational_polynomial", b"fisheye")


def fields(header: list[cdr.Field], model: bytes = b"plumb_bob", d: int = 5, p: bool = True) -> list[cdr.Field]:
    """Numbers of a 32x24 camera."""
    return [
        *header, ("I", 24), ("I", 32), ("s", model), ("doubles", [0.0] * d), *(("d", value) for value in K),
        *(("d", float(i % 4 == 0)) for i in range(9)), *(("d", value if p else 0.0) for value in P), ("I", 0), ("I", 0),
        ("I", 0), ("I", 0), ("I", 0), ("I", 0), ("B", 0),
    ]  # fmt: skip


def make(rng: Random) -> bytes:
    """A camera_info, spoilt in a few fields, or in its bytes."""
    return cdr.make(rng, fields(cdr.header(rng), rng.choice(MODELS), rng.choice((5, 5, 0, 4, 8)), rng.random() < 0.5))


def good() -> bytes:
    """One without fault."""
    return cdr.write(fields([("i", 1), ("I", 7), ("s", b"camera")]))
