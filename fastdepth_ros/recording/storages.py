"""rosbags' readers, with what strangers' recordings are held against before rosbags believes them.

A recording can say that it is larger than any disk, hold SQL that never ends or bytes that unpack to a terabyte. Sizes
are bounded by what pictures need; what is refused is told as one kind of error, by ``reader``.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, NamedTuple

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.reader import DirectoryReader
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

from fastdepth_ros.errors import quoted
from fastdepth_ros.files.yaml_text import check_depth
from fastdepth_ros.recording.packed import lz4_bound, zstd_bound
from fastdepth_ros.recording.without_qos import without_qos

MOST_AT_ONCE = 2**27
"""Bytes that are unpacked at one time: a chunk, or a message. A raw picture of 12 megapixels has 36 MB."""

MOST_METADATA = 2**19
"""Bytes of metadata.yaml; that of ten topics has 10 kB."""

SMALL_FILE, RATIO = 2**28, 100
"""Bytes that any packed file may unpack to, and how many times its own size a larger one may."""

FEW_RECORDS = 2**18
"""Records that any MCAP file may have; one that was unpacked has no more than it had bytes, as each tells a time."""

MAGIC = b"\x89MCAP0\r\n"
CHUNK = 0x06
_RECORD, _CHUNK = Struct("<BQ"), Struct("<QQQII")
_LONGEST_PACKING = 16

Data = Iterator[tuple[Connection, int, bytes]]


class Chunk(NamedTuple):
    """A chunk of an MCAP file: how it is packed, in how many bytes, and how many it unpacks to at most."""

    packing: str
    packed: int
    unpacked: int


class CheckedMcap(McapReader):
    """A reader of MCAP whose chunks are bounded.

    Args:
        path: the file.
        packed: its size before it was unpacked [bytes]; 0 if it was not packed as a whole.
    """

    read_index, meta_scan = without_qos(McapReader.read_index), without_qos(McapReader.meta_scan)

    def __init__(self, path: Any, packed: int = 0) -> None:
        super().__init__(path)
        self._packed = packed

    def open(self) -> None:
        """Open the file once all of its chunks were held against what may be."""
        check_regular(Path(str(self.path)))
        size = os.path.getsize(str(self.path))
        with Path(str(self.path)).open("rb") as file:
            chunks = dict(_chunks(file, size, max(self._packed or size, FEW_RECORDS)))
        super().open()
        try:
            self._check_index(chunks)
        except BaseException:
            self.close()
            raise

    def _check_index(self, chunks: dict[int, Chunk]) -> None:
        """Hold the index against the chunks: each is there, and once; not too many have to be unpacked at a time."""
        turns: list[tuple[int, int]] = []
        for chunk in self.chunks:
            found = chunks.pop(chunk.chunk_start_offset, None)
            if found is None or found[:2] != (chunk.compression, chunk.compressed_size):
                raise ValueError("its index is not that of its chunks")
            end = max(chunk.message_start_time, chunk.message_end_time) + 1
            turns += [(chunk.message_start_time, found.unpacked), (end, -found.unpacked)]
        at_once = 0
        for _, change in sorted(turns):
            at_once += change
            if at_once > MOST_AT_ONCE:
                raise ValueError(f"more than {MOST_AT_ONCE} bytes of its chunks are of the same time")


class CheckedSqlite(Sqlite3Reader):
    """A reader of sqlite3 files that hold tables and no programs."""

    _open = without_qos(Sqlite3Reader._open)

    def open(self) -> None:
        """Open the file once its schema was held against what rosbag2 makes."""
        path = Path(str(self.path))
        check_regular(path)
        if re.search(r"[?#]|%[0-9A-Fa-f]{2}", str(path)):
            raise ValueError("its path has characters that sqlite3 takes for options")
        with closing(sqlite3.connect(f"file:{path}?immutable=1&mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            _check_schema(database)
        super().open()


class CheckedFolder(DirectoryReader):
    """A reader of a recording's folder."""

    STORAGE_PLUGINS: Mapping[str, Any] = {"mcap": CheckedMcap, "sqlite3": CheckedSqlite}

    _open_all = without_qos(DirectoryReader.open)

    def open(self) -> None:
        """Open the folder once the files in it were held against what may be."""
        folder = Path(str(self.path))
        _check_metadata(folder / "metadata.yaml")
        packed = 0
        for file in sorted(folder.iterdir()):
            if not file.is_dir():
                check_regular(file)
                packed += _check_packed(file)

        def mcap(path: Any) -> CheckedMcap:
            return CheckedMcap(path, packed=0 if Path(str(path)).parent == folder else packed)

        # rosbags asks this table for the reader of each file, which it has unpacked elsewhere by then.
        self.STORAGE_PLUGINS = {**type(self).STORAGE_PLUGINS, "mcap": mcap}
        self._open_all()
        if self.metadata.compression_mode == "message":
            for storage in self.storages:
                storage.messages = _bounded(storage.messages)  # type: ignore[method-assign]


class CheckedReader(Reader):
    """A reader of recordings of any kind.

    Opening and reading raise whatever a broken file makes of rosbags, and ValueError for what is refused here.
    """

    STORAGE_PLUGINS: Mapping[str, Any] = {"dir": CheckedFolder, ".mcap": CheckedMcap, ".db3": CheckedSqlite}


def check_regular(file: Path) -> None:
    """Refuse pipes and devices, which would hold the reader up.

    Raises:
        ValueError: it is one.
        OSError: it is not there.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError(f"{file.name!r:.80} is no regular file")


def _check_metadata(file: Path) -> None:
    """Look at metadata.yaml before its parser does.

    Raises:
        ValueError: it is no file, or too large or too deep, or it merges tables.
        yaml.YAMLError: it is no YAML.
    """
    check_regular(file)
    if file.stat().st_size > MOST_METADATA:
        raise ValueError(f"its metadata.yaml has more than {MOST_METADATA} bytes")
    check_depth(file.read_text(encoding="utf-8"), aliases=True)


def _bounded(messages: Any) -> Any:
    def bounded(*arguments: Any) -> Data:
        for connection, time, data in messages(*arguments):
            if zstd_bound(BytesIO(data), len(data), MOST_AT_ONCE) > MOST_AT_ONCE:
                raise ValueError(f"a message unpacks to more than {MOST_AT_ONCE} bytes")
            yield connection, time, data

    return bounded


def _check_packed(file: Path) -> int:
    """Refuse a file that would fill the disk when it is unpacked; return the bytes of one that is packed."""
    with file.open("rb") as packed:
        if packed.read(4) != b"\x28\xb5\x2f\xfd":
            return 0
        packed.seek(0)
        free = shutil.disk_usage(tempfile.gettempdir()).free
        size = file.stat().st_size
        most = min(free, max(SMALL_FILE, RATIO * size))
        if zstd_bound(packed, size, most) > most:
            raise ValueError(f"{file.name!r:.80} unpacks to more than {most} bytes")
        return size


def _check_schema(database: sqlite3.Connection) -> None:
    """Refuse what computes where rosbag2 has plain tables: SQL that never ends, or numbers out of nothing."""
    # A table that is computed, by a module of sqlite3, has no page where it begins.
    found = database.execute("SELECT type, name, rootpage FROM sqlite_master LIMIT 100").fetchall()
    for kind, name, page in found:
        if kind not in ("table", "index") or not isinstance(name, str) or not page:
            raise ValueError(f"it holds {quoted(kind)} {quoted(name)} where rosbag2 has tables")
        columns = database.execute("SELECT hidden FROM pragma_table_xinfo(?)", (name,)).fetchmany(100)
        if any(hidden for (hidden,) in columns):
            raise ValueError(f"its table {quoted(name)} is computed")


def _chunks(file: BinaryIO, size: int, most: int) -> Iterator[tuple[int, Chunk]]:
    """Start and kind of each chunk of an MCAP file.

    Raises:
        ValueError: a chunk unpacks to too much, or is damaged; or the file has more than so many records.
    """
    at, records = len(MAGIC), 0
    while at + _RECORD.size <= size:
        file.seek(at)
        kind, length = _RECORD.unpack(file.read(_RECORD.size))
        records += 1
        if not kind or records > most:
            raise ValueError(f"it has more than {most} records" if kind else "it has a record of no kind")
        end = at + _RECORD.size + length
        if kind == CHUNK and end <= size:
            yield at, _chunk(file, end)
        at = end


def _chunk(file: BinaryIO, end: int) -> Chunk:
    _, _, size, _, name = _CHUNK.unpack(file.read(_CHUNK.size))
    packing = file.read(min(name, _LONGEST_PACKING)).decode("ascii", "replace")
    packed = int.from_bytes(file.read(8), "little")
    if file.tell() + packed > end or name > _LONGEST_PACKING:
        raise ValueError("a chunk is larger than its record")
    unpacked = packed
    if packing:
        bound = {"zstd": zstd_bound, "lz4": lz4_bound}[packing]
        unpacked = bound(file, file.tell() + packed, MOST_AT_ONCE)
    if max(size, unpacked) > MOST_AT_ONCE:
        raise ValueError(f"a chunk unpacks to more than {MOST_AT_ONCE} bytes")
    return Chunk(packing, packed, unpacked)
