"""sensor_msgs/Image and CompressedImage as they come from DDS: every encoding, small."""

from __future__ import annotations

from random import Random

from hostile.seeds import cdr, jpegs, pngs

PIXEL_BYTES = {
    "rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "mono16": 2, "uyvy": 2, "yuv422": 2, "yuyv": 2,
    "yuv422_yuy2": 2, "nv12": 1.5, "nv21": 1.5, "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1, "bayer_grbg8": 1,
}  # fmt: skip
OTHERS = (
    "8UC1", "8UC3", "16UC1", "32FC1", "rgb16", "bgr16", "bayer_rggb16", "rgb8 ", "RGB8", "nv24", "yuv420", "16SC1",
    "64FC1", "8UC4294967295", "mono8\0rgb8", "",
)  # fmt: skip
FORMATS = (
    "jpeg", "png", "jpg", "rgb8; jpeg compressed bgr8", "bgr8; jpeg compressed bgr8", "mono8; png compressed ",
    "16UC1; png compressed", "16UC1; compressedDepth png", "32FC1; compressedDepth png", "32FC1; compressedDepth rvl",
    "bayer_rggb8; png compressed", "bayer_grbg8; jpeg compressed bgr8", "mono16; png compressed",
    "rgb16; png compressed",
    "h264", "tiff", "webp", ";", "; jpeg", "rgb8; ", "jpeg; png; jpeg",
)  # fmt: skip
NOISE = Random(0).randbytes(40 * 40 * 4 + 4000)


def image(rng: Random) -> bytes:
    """An Image that is whole but for what was spoilt in it."""
    encoding = rng.choice(tuple(PIXEL_BYTES)) if rng.random() < 0.85 else rng.choice(OTHERS)
    width, height = rng.choice(((32, 32), (32, 24), (8, 6), (2, 2), (1, 1), (31, 33), (40, 1)))
    pixel = PIXEL_BYTES.get(encoding, 3)
    rows = int(height * (pixel if pixel == 1.5 else 1))
    step = width * (1 if pixel == 1.5 else int(pixel)) + rng.choice((0, 0, 0, 1, 3, 16))
    fields = [
        *cdr.header(rng), ("I", height), ("I", width), ("s", encoding.encode()), ("B", rng.choice((0, 0, 0, 1))),
        ("I", step), ("bytes", NOISE[: rows * step]),
    ]  # fmt: skip
    return cdr.make(rng, fields)


def compressed(rng: Random) -> bytes:
    """A CompressedImage: most of its faults are in the file."""
    kind = rng.random()
    data = jpegs.make(rng) if kind < 0.6 else pngs.make(rng) if kind < 0.93 else _other(rng)
    fields = [*cdr.header(rng), ("s", rng.choice(FORMATS).encode()), ("bytes", data)]
    return cdr.make(rng, fields) if rng.random() < 0.2 else cdr.write(fields)


def _other(rng: Random) -> bytes:
    """A file of another kind that OpenCV may know, or none."""
    start = rng.choice(
        (
            b"GIF89a",
            b"RIFF\x10\0\0\0WEBPVP8 ",
            b"II*\0\x08\0\0\0",
            b"MM\0*",
            b"BM",
            b"\x76\x2f\x31\x01",
            b"P6\n32 32\n255\n",
            b"\0\0\0\x0cjP  ",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"",
        )
    )
    return (
        start + rng.randbytes(rng.choice((0, 1, 12, 200))) + rng.choice((b"", b"\xff\xda\xff\xd9", b"IEND\xaeB`\x82"))
    )


def good_image() -> bytes:
    """An Image without fault."""
    fields = [
        ("i", 1_700_000_000), ("I", 7), ("s", b"camera"), ("I", 24), ("I", 32), ("s", b"rgb8"), ("B", 0), ("I", 96),
        ("bytes", NOISE[: 24 * 96]),
    ]  # fmt: skip
    return cdr.write(fields)


def good_compressed() -> bytes:
    """A CompressedImage without fault."""
    return cdr.write([("i", 1), ("I", 7), ("s", b"camera"), ("s", b"jpeg"), ("bytes", jpegs.plain()[0])])
