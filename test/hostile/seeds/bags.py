"""rosbag2 recordings: MCAP record by record (mcap.dev/spec), sqlite3 cell by cell, metadata.yaml line by line.

A case is the files of a folder: name, content, name, content (:func:`hostile.mutate.pack`).
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import tempfile
from functools import cache
from pathlib import Path
from random import Random

import bags
import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from hostile import mutate
from hostile.seeds import camera_infos, documents, images

MAGIC = b"\x89MCAP0\r\n"
CHUNK = 0x06
METADATA = "metadata.yaml"
Files = dict[str, bytes]


def _messages() -> list[tuple[str, str, bytes]]:
    """Topic, type and bytes of what the seeds hold: pictures, a camera_info and depth."""
    jpeg = cv2.imencode(".jpg", np.full((24, 32, 3), 90, np.uint8))[1].tobytes()
    made = [
        ("/cam/image_raw", bags.image()), ("/cam/camera_info", bags.camera_info()),
        ("/cam/image_raw/compressed", bags.compressed("jpeg", jpeg)), ("/depth", bags.image("16UC1")),
        ("/other/compressed", bags.compressed("rgb8; jpeg compressed bgr8", jpeg)),
    ]  # fmt: skip
    return [(topic, m.__msgtype__, bytes(bags.STORE.serialize_cdr(m, m.__msgtype__))) for topic, m in made]


def write(plugin: StoragePlugin, mode: CompressionMode, messages: list[tuple[str, str, bytes]]) -> Files:
    """The files of a recording."""
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder, "bag"), version=8, storage_plugin=plugin)
        if mode is not CompressionMode.NONE:
            writer.set_compression(mode, CompressionFormat.ZSTD)
        with writer:
            connections = {
                topic: writer.add_connection(topic, kind, typestore=bags.STORE) for topic, kind, _ in messages
            }
            for index, (topic, _, data) in enumerate(messages):
                writer.write(connections[topic], bags.START + index, data)
        return {path.name: path.read_bytes() for path in sorted(Path(folder, "bag").iterdir())}


@cache
def _seeds(plugin: StoragePlugin) -> tuple[Files, ...]:
    return tuple(
        write(plugin, mode, _messages())
        for mode in (CompressionMode.NONE, CompressionMode.MESSAGE, CompressionMode.FILE)
    )


def _split(data: bytes) -> list[tuple[int, bytes]]:
    records, at = [], len(MAGIC)
    while at + 9 <= len(data) - len(MAGIC):
        size = struct.unpack_from("<Q", data, at + 1)[0]
        records.append((data[at], data[at + 9 : at + 9 + size]))
        at += 9 + size
    return records


def _join(rng: Random, records: list[tuple[int, bytes]], lies: float) -> bytes:
    out = bytearray()
    for code, payload in records:
        size = mutate.number(rng, len(payload), 64) if rng.random() < lies else len(payload)
        out += bytes((code,)) + struct.pack("<Q", size) + payload
    return bytes(out)


def _record(rng: Random, records: list[tuple[int, bytes]]) -> None:
    place = rng.randrange(len(records))
    code, payload = records[place]
    if rng.random() < 0.1:
        code = rng.randrange(18)
    elif payload:
        payload = _numbers(rng, payload) if rng.random() < 0.6 else mutate.spoil(rng, payload, 2)
    records[place] = code, payload


def _numbers(rng: Random, payload: bytes) -> bytes:
    """Another number where a record keeps its own, near its start."""
    data = bytearray(payload)
    code, bits = rng.choice((("<Q", 64), ("<I", 32), ("<H", 16)))
    last = min(len(data), 48) - bits // 8
    if last >= 0:
        at = rng.randrange(last + 1)
        struct.pack_into(code, data, at, mutate.number(rng, struct.unpack_from(code, data, at)[0], bits))
    return bytes(data)


def _spoil_mcap(rng: Random, data: bytes) -> bytes:
    records = _split(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not records:
            break
        (_record if rng.random() < 0.75 else mutate.spoil_items)(rng, records)
    data = MAGIC + _join(rng, records, 0.01) + MAGIC
    return mutate.spoil(rng, data, 2) if rng.random() < 0.15 else data


def mcap(rng: Random) -> bytes:
    """An MCAP file alone, or with its metadata; its messages may be hostile themselves."""
    files = dict(
        rng.choice(_seeds(StoragePlugin.MCAP)[:2]) if rng.random() < 0.7 else _hostile_messages(rng, StoragePlugin.MCAP)
    )
    name = next(name for name in files if name != METADATA)
    if rng.random() < 0.9:
        files[name] = _spoil_mcap(rng, files[name])
    if rng.random() < 0.95:  # the metadata costs most of the time, and is spoilt elsewhere
        del files[METADATA]
    return _case(files)


_POOLS: dict[StoragePlugin, list[Files]] = {plugin: [] for plugin in StoragePlugin}


def _hostile_messages(rng: Random, plugin: StoragePlugin) -> Files:
    """Whole files around hostile messages; a few are kept, because to write one costs more than to read it."""
    pool = _POOLS[plugin]
    if len(pool) < 40 or rng.random() < 0.02:
        kinds = {
            "sensor_msgs/msg/Image": images.image,
            "sensor_msgs/msg/CompressedImage": images.compressed,
            "sensor_msgs/msg/CameraInfo": camera_infos.make,
        }
        messages = [(t, k, kinds[k](rng)[:20_000] if rng.random() < 0.5 else d) for t, k, d in _messages()]
        pool[39:] = [write(plugin, CompressionMode.NONE, messages)]
    return rng.choice(pool)


CELLS = (
    None,
    0,
    -1,
    2**63 - 1,
    1.5,
    "x" * 300,
    b"\xff\xfe",
    "",
    b"",
    "sensor_msgs/msg/Image",
    "nobody/msg/Knows",
    "/",
    "cdr",
    "\0",
)


def _spoil_sqlite(rng: Random, data: bytes) -> bytes:
    """Other values in some cells, other tables."""
    with tempfile.NamedTemporaryFile(suffix=".db3") as file:
        Path(file.name).write_bytes(data)
        with contextlib.closing(sqlite3.connect(file.name)) as base, base:
            base.execute("PRAGMA synchronous=OFF")
            base.execute("PRAGMA journal_mode=OFF")
            for _ in range(rng.choice((1, 2, 3))):
                with contextlib.suppress(sqlite3.Error):
                    _spoil_table(rng, base)
        return Path(file.name).read_bytes()


def _spoil_table(rng: Random, base: sqlite3.Connection) -> None:
    tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    table = rng.choice(tables)
    columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
    way = rng.random()
    if way < 0.1:
        base.execute(f"DROP TABLE {table}")
    elif way < 0.2:
        base.execute(f"ALTER TABLE {table} RENAME COLUMN {rng.choice(columns)} TO z")
    elif way < 0.3:
        base.execute(f"DELETE FROM {table}")
    else:
        base.execute(f"UPDATE {table} SET {rng.choice(columns)} = ?", (rng.choice(CELLS),))


def sqlite(rng: Random) -> bytes:
    """A .db3 file alone, or with its metadata."""
    files = dict(
        rng.choice(_seeds(StoragePlugin.SQLITE3)[:2])
        if rng.random() < 0.7
        else _hostile_messages(rng, StoragePlugin.SQLITE3)
    )
    name = next(name for name in files if name != METADATA)
    way = rng.random()
    if way < 0.3:
        files[name] = _spoil_sqlite(rng, files[name])
    elif way < 0.95:
        files[name] = mutate.spoil(rng, files[name])
    if rng.random() < 0.95:
        del files[METADATA]
    return _case(files)


@cache
def _bomb() -> Files:
    """A file that unpacks to half a gigabyte."""
    files = dict(_seeds(StoragePlugin.MCAP)[2])
    name = next(name for name in files if name != METADATA)
    files[name] = _zstd(bytes(500_000_000))
    return files


def _zstd(data: bytes) -> bytes:
    try:
        from compression import zstd
    except ImportError:
        from backports import zstd
    return bytes(zstd.compress(data))


def folder(rng: Random) -> bytes:
    """A folder whose metadata.yaml is spoilt, or whose packed file is."""
    if rng.random() < 0.001:
        return _case(_bomb())
    files = dict(rng.choice((*_seeds(StoragePlugin.MCAP), *_seeds(StoragePlugin.SQLITE3))))
    if rng.random() < 0.8:
        files[METADATA] = documents.spoil_yaml(rng, files[METADATA].decode())
    else:
        name = next(name for name in files if name != METADATA)
        files[name] = mutate.spoil(rng, files[name])
    return _case(files)


def _case(files: Files) -> bytes:
    return mutate.pack(*(part for name, data in files.items() for part in (name.encode(), data)))
