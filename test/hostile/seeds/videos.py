"""Packets of small videos, and messages of them as they come from DDS: spoilt in units, in headers, in their order."""

from __future__ import annotations

import importlib.util
from functools import cache
from random import Random

import numpy as np

from hostile import mutate
from hostile.seeds import cdr

START = b"\0\0\1"
ENCODERS = {"h264": "libx264", "hevc": "libx265"}
WIDTH, HEIGHT, COUNT, GOP = 64, 48, 6, 3
TRANSPORTS = ("video", "ffmpeg", "foxglove")
FORMS = ("h264", "hevc", "H265", "libx264", "h264;yuv420p;bgr8", "jpeg", "vp9", "", "h264hevc")
HEADERS = {"h264": (7, 8), "hevc": (32, 33, 34)}
"""Types of units that say how large a picture is and how it is packed."""

MOST_PIXELS = 320 * 240
"""Pixels of the largest picture that the target reads: more than the seeds', far less than a header can claim."""

MOST_BYTES = 1 << 16
"""Bytes of a packet that are made worse once more: repeated again and again they came to 300 MB, which is no packet."""


def available() -> bool:
    """Whether PyAV is there, with both encoders."""
    if importlib.util.find_spec("av") is None:
        return False
    import av

    return all(encoder in av.codecs_available for encoder in ENCODERS.values())


@cache
def packets(codec: str) -> tuple[bytes, ...]:
    """A video of a moving pattern, a packet a picture, a key frame every :data:`GOP`."""
    import av

    av.logging.set_level(None)
    context = av.CodecContext.create(ENCODERS[codec], "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.framerate, context.gop_size, context.thread_count = 30, GOP, 1
    quiet = {"x265-params": "log-level=none:pools=none:frame-threads=1"} if codec == "hevc" else {}
    context.options = {"preset": "ultrafast", "tune": "zerolatency", **quiet}
    found = []
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for number in range(COUNT):
        wave = 128 + 90 * np.sin((columns + 3 * number) / 7) * np.cos(rows / 9)
        frame = av.VideoFrame.from_ndarray(np.repeat(wave[..., None], 3, -1).astype(np.uint8), format="rgb24")
        frame.pts = number
        found += [bytes(packet) for packet in context.encode(frame)]
    return (*found, *(bytes(packet) for packet in context.encode(None)))


def message(transport: str, form: bytes, data: bytes, number: int = 0) -> list[cdr.Field]:
    """Fields of a packet's message."""
    header: list[cdr.Field] = [("i", 1_700_000_000), ("I", number), ("s", b"camera")]
    if transport == "foxglove":
        return [*header, ("bytes", data), ("s", form)]
    if transport == "ffmpeg":
        size: list[cdr.Field] = [("i", WIDTH), ("i", HEIGHT)]
        # A number of 8 bytes, which begins where the encapsulation's four bytes do not count.
        return [*header, *size, ("s", form), ("Q", 7), ("B", 1), ("B", 0), ("bytes", data)]
    return [*header, ("s", form), ("bytes", data)]


def good(transport: str = "video", codec: str = "h264") -> list[bytes]:
    """Messages without fault, of a key frame and those that follow."""
    return [
        cdr.write(message(transport, codec.encode(), data, number)) for number, data in enumerate(packets(codec)[:GOP])
    ]


def make(rng: Random) -> bytes:
    """A few messages of one topic, with faults in some; the first part names the transport."""
    transport, codec = rng.choice(TRANSPORTS), rng.choice(tuple(ENCODERS))
    found = list(packets(codec)[: rng.randint(1, COUNT)])
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if found:
            place = rng.randrange(len(found))
            found[place] = _worse(rng, found[place], codec)
    if rng.random() < 0.3:
        mutate.spoil_items(rng, found)
    if rng.random() < 0.1:
        other = "hevc" if codec == "h264" else "h264"
        found.insert(rng.randrange(len(found) + 1), rng.choice(packets(other)))
    messages = []
    for number, data in enumerate(found):
        form = codec if rng.random() < 0.9 else rng.choice(FORMS)
        fields = message(transport, form.encode(), data, number)
        messages.append(cdr.make(rng, fields) if rng.random() < 0.1 else cdr.write(fields))
    return mutate.pack(transport.encode(), *messages)


def _worse(rng: Random, data: bytes, codec: str) -> bytes:
    """A packet with a fault."""
    data = data[:MOST_BYTES]
    kind = rng.random()
    if kind < 0.3:
        return mutate.spoil(rng, data)
    units = data.split(START)
    if kind < 0.6:  # what headers say: sizes, references, formats
        own = [place for place, unit in enumerate(units) if unit and _kind(unit, codec) in HEADERS[codec]]
        if own:
            place = rng.choice(own)
            units[place] = units[place][:1] + mutate.spoil(rng, units[place][1:], 2)
            if codec == "h264" and rng.random() < 0.4:
                units[place] = sequence(rng)
            return START.join(units)
    if kind < 0.75:
        mutate.spoil_items(rng, units)
        return START.join(units)
    if kind < 0.85:
        return data + START.join((b"", *units[1:])) * rng.choice((1, 1, 3, 50))  # several pictures, many units
    if kind < 0.95:  # beginnings, and nothing behind them
        return (START + bytes((rng.choice((0x65, 0x41, 0x67, 0x26, 0x02, 0x40)), 1, 0x80))) * rng.choice(
            (1, 2, 100, 5000)
        )
    return rng.choice((b"", START, b"\0\0\0\1", rng.randbytes(200), data * 200))


def _kind(unit: bytes, codec: str) -> int:
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def sequence(rng: Random) -> bytes:
    """H.264's sequence parameter set (7.3.2.1.1) of a baseline picture of any size."""
    sizes = (0, 1, 3, 19, 20, 119, 255, 1023, 4095, 65535, 2**20, 2**31)
    numbers = (0, rng.choice((0, 0, 12, 40)), 0, rng.choice((0, 4, 16, 17, 1000)))  # id, frame number, order, most
    references = rng.choice((1, 1, 16, 33, 1000))
    bits = "".join(map(_golomb, (*numbers[:2], 2, references))) + "0"
    bits += _golomb(rng.choice(sizes)) + _golomb(rng.choice(sizes)) + rng.choice(("1", "01"))
    bits += "1" + rng.choice(("0", "1" + "".join(_golomb(rng.choice(sizes)) for _ in range(4)))) + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    profile = rng.choice((66, 77, 100)), 0, rng.choice((10, 30, 62))
    return bytes((0x67, *profile)) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _golomb(number: int) -> str:
    """An unsigned number in Exp-Golomb's code (9.1)."""
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits
