"""Facts about messages, as DDS tells them: numbers and times that a forged or restarted writer may choose."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from fastdepth_ros.diagnostics.monitor import Monitor
from fastdepth_ros.node.newest_image import NewestImage
from fastdepth_ros.node.rate_limit import RateLimit
from hostile import mutate
from hostile.seeds import images
from hostile.target import FooledError, Target

MESSAGE = struct.Struct("<QBqqid")
"""Sequence number, publisher, received and source time [ns], stamp [s], step of the clock [s]."""

NUMBERS = (*range(8), 100, 1000, 3_000_000, 2**31, 2**32, 2**40, 2**62, 2**63 - 1)


def make(rng: Random) -> bytes:
    """A few messages, whose numbers and times jump."""
    number, out = rng.choice((0, 1, 5, 2**40)), b""
    for _ in range(rng.randint(1, 6)):
        number = min(number + rng.choice(NUMBERS), 2**63 - 1) if rng.random() < 0.8 else rng.choice(NUMBERS)
        times = [rng.choice((0, 1_700_000_000_000_000_000, mutate.number(rng, bits=62))) for _ in range(2)]
        stamp = rng.choice((0, 1_700_000_000, -(2**31), 2**31 - 1, rng.randrange(2**31)))
        out += MESSAGE.pack(number, rng.randrange(3), *times, stamp, rng.choice((0.0, 0.01, 1.0, 3600.0, -10.0, 1e9)))
    return out


class _Subscriber:
    """Hands over what was put in."""

    subscription = None

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def take(self) -> list[Any]:
        taken, self.kept = self.kept, []
        return taken

    def destroy(self) -> None:
        """Nothing subscribes."""


def prepare(_: Path) -> Callable[[bytes], object]:
    good = images.good_image()
    power = SimpleNamespace(arrived=lambda _: None, decision=SimpleNamespace(lowered=False))

    def take(data: bytes) -> None:
        clock = [1e9]
        pictures, monitor = _Subscriber(), Monitor(clock[0])
        limit = RateLimit(10.0)
        newest = NewestImage(
            pictures, _Subscriber(), compressed=False, hear=lambda _: None, monitor=monitor, limit=limit, power=power,
            now=lambda: clock[0],
        )  # fmt: skip
        for number, publisher, received, source, stamp, step in MESSAGE.iter_unpack(
            data[: len(data) // MESSAGE.size * MESSAGE.size]
        ):
            clock[0] += step
            info = {
                "publication_sequence_number": number, "received_timestamp": received, "source_timestamp": source,
                "publisher_gid": {"data": [publisher] * 16},
            }  # fmt: skip
            pictures.kept = [(good[:4] + struct.pack("<i", stamp) + good[8:], info)]
            newest.take(received + 1)
            report = monitor.report(clock[0])
            if min(report.received, *report.dropped.values(), 0) < 0 or report.rate_in != report.rate_in:
                raise FooledError("counts or a rate that cannot be")

    return take


TARGETS = (Target("sequence", "message", make, prepare, 3),)
