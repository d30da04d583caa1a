"""PNG files piece by piece."""

import struct
import zlib

from fastdepth_ros.codec.png import START


def chunk(kind, data=b"", length=None):
    """A piece, which may say another length than it has."""
    return (
        struct.pack(">I", len(data) if length is None else length)
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


def header(width, height, bits=8, colours=2):
    """The first piece."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))


END = chunk(b"IEND")


def bomb(width, height, bits, colours):
    """A whole PNG of zeros."""
    rows = height * (1 + (width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours] + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(min(1 << 20, rows - at))) for at in range(0, rows, 1 << 20)) + packer.flush()
    return START + header(width, height, bits, colours) + chunk(b"IDAT", data) + END
