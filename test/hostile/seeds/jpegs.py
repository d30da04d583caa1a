"""JPEG files, segment by segment (ITU-T T.81, annex B)."""

from __future__ import annotations

import struct
from functools import cache
from random import Random

import cv2
import numpy as np

from hostile import mutate

Segments = list[tuple[int, bytes]]
"""Marker and what follows it, length bytes left out; what follows a scan's header belongs to its segment."""

SOF, SOS, EOI, DHT, DQT, DRI, APP1, COM = 0xC0, 0xDA, 0xD9, 0xC4, 0xDB, 0xDD, 0xE1, 0xFE
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB})
SIDES = (0, 1, 2, 8, 31, 32, 33, 64, 255, 1000, 4000, 16000, 30000, 65500, 65535)


FULL_COLOURS = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111] if hasattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR") else []
"""Colours at each pixel (4:4:4), which OpenCV writes from 4.7 on."""


@cache
def plain() -> tuple[bytes, ...]:
    """Files without fault: baseline, progressive, grey, with restarts, of several samplings."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (9, 9), 3)
    ways = (
        (smooth, []), (noise, [cv2.IMWRITE_JPEG_QUALITY, 30]), (smooth, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        (smooth[..., 0], []), (smooth, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]),
        (smooth[:17, :23], FULL_COLOURS),
        (smooth[..., 0], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    )  # fmt: skip
    return tuple(cv2.imencode(".jpg", pixels, flags)[1].tobytes() for pixels, flags in ways)


@cache
def _seeds() -> tuple[Segments, ...]:
    return tuple(split(file) for file in plain())


def split(file: bytes) -> Segments:
    """The segments of a whole file."""
    segments: Segments = []
    at = 2
    while at + 4 <= len(file):
        marker = file[at + 1]
        (size,) = struct.unpack_from(">H", file, at + 2)
        end = at + 2 + size
        if marker == SOS:  # its data go on to the next marker that is neither escaped nor a restart
            while not (file[end] == 0xFF and file[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        segments.append((marker, file[at + 4 : end]))
        at = end
        if file[at + 1] == EOI:
            break
    return segments


def join(segments: Segments, lie: tuple[int, int] = (-1, 0), end: bytes = b"\xff\xd9") -> bytes:
    """The file; the segment of number ``lie[0]`` announces the length ``lie[1]``."""
    out = bytearray(b"\xff\xd8")
    for place, (marker, payload) in enumerate(segments):
        header = len(payload) if marker != SOS else 1 + 2 * payload[0] + 3 if payload else 0
        size = lie[1] if place == lie[0] else min(header + 2, 0xFFFF)
        out += bytes((0xFF, marker)) + struct.pack(">H", size & 0xFFFF) + payload
    return bytes(out) + end


def _sizes(rng: Random, segments: Segments) -> None:
    """Another size, as it is written in the frame header."""
    for place, (marker, payload) in enumerate(segments):
        if marker in FRAMES and len(payload) >= 5:
            height, width = rng.choice(SIDES), rng.choice(SIDES)
            segments[place] = marker, payload[:1] + struct.pack(">HH", height, width) + payload[5:]


def _frame(rng: Random, segments: Segments) -> None:
    """Another kind of frame, another precision, other components."""
    for place, (marker, payload) in enumerate(segments):
        if marker in FRAMES and len(payload) > 5:
            changed = bytearray(payload)
            changed[rng.choice((0, 5, *range(6, len(changed))))] = rng.choice((0, 1, 2, 3, 4, 8, 12, 17, 34, 68, 255))
            segments[place] = rng.choice((marker, marker, *FRAMES)), bytes(changed)


def _payload(rng: Random, segments: Segments) -> None:
    place = rng.randrange(len(segments))
    marker, payload = segments[place]
    segments[place] = marker, mutate.spoil(rng, payload, 2) if payload else b"\0"


def _scan(rng: Random, segments: Segments) -> None:
    """A scan's data: a hole in it, or cut short."""
    scans = [place for place, (marker, _) in enumerate(segments) if marker == SOS]
    if not scans:
        return
    place = rng.choice(scans)
    payload = bytearray(segments[place][1])
    at = rng.randrange(min(10, len(payload)), len(payload) + 1)
    if rng.random() < 0.5:
        del payload[at:]
    else:
        size = rng.choice((1, 8, 100))
        payload[at : at + size] = bytes(len(payload[at : at + size]))
    segments[place] = SOS, bytes(payload)


def _scans(rng: Random, segments: Segments) -> None:
    """A scan many times over: each costs a pass over the picture."""
    scans = [place for place, (marker, _) in enumerate(segments) if marker == SOS]
    if scans:
        place = rng.choice(scans)
        segments[place:place] = [segments[place]] * rng.choice((1, 10, 100, 1000))


def _extra(rng: Random, segments: Segments) -> None:
    """A segment that nobody asked for."""
    marker = rng.choice((APP1, COM, DRI, DQT, DHT, 0xEE, 0xE2, 0xDC, 0xCC, 0x01, 0xD8, 0xD0, 0xFF, 0))
    payload = rng.choice(
        (
            b"",
            b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
            rng.randbytes(20),
            b"Adobe\0d\0\0\0\0\2",
            bytes(60000),
        )
    )
    segments.insert(rng.randrange(len(segments) + 1), (marker, payload))


_WAYS = (_sizes, _sizes, _frame, _payload, _payload, _scan, _scan, _scans, _extra, mutate.spoil_items)


def make(rng: Random) -> bytes:
    """A file, spoilt in its segments, in its bytes, or not at all."""
    if rng.random() < 0.1:
        return mutate.spoil(rng, rng.choice(plain()))
    segments = list(rng.choice(_seeds()))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        rng.choice(_WAYS)(rng, segments)
    lie = (rng.randrange(len(segments) + 1), mutate.number(rng, 16, 16)) if rng.random() < 0.1 else (-1, 0)
    end = rng.choice((b"", b"\xff\xd9\xff\xd9", b"\xff\xd9" + bytes(8), b"\xff")) if rng.random() < 0.1 else b"\xff\xd9"
    return join(segments, lie, end)
