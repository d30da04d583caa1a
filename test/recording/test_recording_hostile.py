"""Recordings of strangers: whatever they say of their size, they cost one clear error, and little memory or disk."""

import gc
import os
import re
import resource
import sqlite3
import struct
import sys
import zlib
from contextlib import suppress
from io import BytesIO

import cv2
import numpy as np
import pytest
from bags import START, STORE, compressed, image, write
from nursery import Nursery
from pngs import bomb
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from fastdepth_ros.errors import ImageError, RecordingError
from fastdepth_ros.recording import Recording, UnpackedRecording, packed, storages
from fastdepth_ros.recording.depth import decode_depth

RAW = bytes(STORE.serialize_cdr(image(), "sensor_msgs/msg/Image"))


@pytest.fixture
def zstd():
    """rosbags' own zstd; from Python 3.14 on it is Python's."""
    return pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def zstd_bomb(mebibytes: int) -> bytes:
    """A frame that says nothing of its size: blocks of one byte over and over."""
    block = ((2**17 << 3) | 2).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (8 * mebibytes) + b"\x01\0\0"


def lz4_bomb(blocks: int) -> bytes:
    """A frame of blocks of 4 MiB."""
    block = b"\x1f\0\x01\0" + b"\xff" * 16400 + b"\0\x50" + bytes(5)
    return b"\x04\x22\x4d\x18\x60\x70\x73" + (struct.pack("<I", len(block)) + block) * blocks + bytes(4)


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(content)) + content


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


def mcap(*data: bytes, index=(), trailer: bytes = b"", about: bytes = b"") -> bytes:
    """A file with a schema, a channel, what is given, and perhaps an index."""
    schema = record(3, struct.pack("<H", 1) + text(b"sensor_msgs/msg/Image") + text(b"ros2msg") + text(b""))
    channel = record(4, struct.pack("<HH", 1, 1) + text(b"/image") + text(b"cdr") + text(about))
    body = b"\x89MCAP0\r\n" + record(1, text(b"ros2") + text(b"")) + schema + channel + b"".join(data) + trailer
    counts = struct.pack("<QHIIIIQQ", len(index), 1, 1, 0, 0, 1, START, START) + text(struct.pack("<HQ", 1, len(index)))
    summary = schema + channel + b"".join(index) + record(11, counts)
    start = len(body) if index else 0
    return body + summary * bool(index) + record(2, struct.pack("<QQI", start, 0, 0)) + b"\x89MCAP0\r\n"


def message(time=START, data=RAW) -> bytes:
    return record(5, struct.pack("<HIQQ", 1, 0, time, time) + data)


def chunk(content: bytes, size: int, packing=b"", start=START, end=START) -> bytes:
    head = struct.pack("<QQQI", start, end, size, 0) + text(packing)
    return record(6, head + struct.pack("<Q", len(content)) + content)


def entry(at: int, whole: bytes, content: bytes, size: int, packing=b"", start=START, end=START) -> bytes:
    times = struct.pack("<QQQQ", start, end, at, len(whole))
    return record(
        8,
        times
        + text(struct.pack("<HQ", 1, at))
        + struct.pack("<Q", 0)
        + text(packing)
        + struct.pack("<QQ", len(content), size),
    )


BEGIN = len(mcap()) - 8 - 29
GOOD = chunk(message(), len(message()))
BIG = chunk(zstd_bomb(100), 100 * 2**20, b"zstd")
BOMBS = {
    "a zstd chunk of 4 GiB": mcap(chunk(zstd_bomb(4096), 100, b"zstd")),
    "a zstd chunk behind the end of data": mcap(message(), record(15, bytes(4)), chunk(zstd_bomb(4096), 9, b"zstd")),
    "two zstd frames": mcap(chunk(zstd_bomb(100) * 2, 200 * 2**20, b"zstd")),
    "a zstd frame behind one to be skipped": mcap(chunk(b"\x50\x2a\x4d\x18\0\0\0\0" + zstd_bomb(400), 1, b"zstd")),
    "an LZ4 chunk of 400 MiB": mcap(chunk(lz4_bomb(100), 100, b"lz4")),
    "a chunk packed by nobody knows what": mcap(chunk(b"", 100, b"brotli")),
    "a chunk that says it has 2**62 bytes": mcap(chunk(message(), 2**62)),
    "a packed part of 2**62 bytes": mcap(record(6, struct.pack("<QQQI", 0, 0, 9, 0) + text(b"") + b"\xff" * 8)),
    "a record of 2**63 bytes": mcap(struct.pack("<BQ", 5, 2**63)),
    "one chunk indexed a thousand times": mcap(
        BIG, index=[entry(BEGIN, BIG, zstd_bomb(100), 100 * 2**20, b"zstd")] * 1000
    ),
    "ten large chunks of one moment": mcap(
        *[BIG] * 10,
        index=[entry(BEGIN + i * len(BIG), BIG, zstd_bomb(100), 100 * 2**20, b"zstd") for i in range(10)],
    ),
    "ten large chunks that end before they begin": mcap(
        *[BIG] * 10,
        index=[
            entry(BEGIN + i * len(BIG), BIG, zstd_bomb(100), 100 * 2**20, b"zstd", START, START - 1) for i in range(10)
        ],
    ),
    "an index that says another packing": mcap(
        chunk(zstd_bomb(400), len(zstd_bomb(400))),
        index=[entry(BEGIN, b"", zstd_bomb(400), 400 * 2**20, b"zstd")],
    ),
    "an index of nothing": mcap(GOOD, index=[entry(2**62, GOOD, message(), len(message()))]),
    "a message of the last moment": mcap(message(2**64 - 1)),
    "a topic that clears the screen": mcap(message()).replace(b"/image", b"/\x1b[2Jx"),
    "a type without a name": mcap(message()).replace(text(b"sensor_msgs/msg/Image"), text(b"")),
}


@pytest.fixture(scope="module")
def readers():
    """Starts processes that have imported what reads recordings."""
    nursery = Nursery(("fastdepth_ros.recording",))
    yield nursery
    nursery.end()


def run_bounded(readers, path, megabytes=400):
    """Open a recording and read it in a process of its own: there is one clear error, and its memory is measured."""
    program = (
        "import sys\nfrom fastdepth_ros.errors import RecordingError\n"
        "from fastdepth_ros.recording import UnpackedRecording, find_camera\n"
        "try:\n"
        "    with UnpackedRecording.open(sys.argv[1]) as recording:\n"
        "        find_camera(recording)\n"
        "        for message in recording.messages(): recording.decode(message)\n"
        "    print('it was read')\n"
        "except RecordingError as error: print(error)\n"
        # ru_maxrss would be that of the process that started this one, where it had more.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = readers.run([sys.executable, "-c", program, path])
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-2000:]
    said, peak = done.stdout.splitlines()
    assert said.isprintable()
    assert len(said) < 2000
    assert int(peak) < megabytes * 1024
    return said


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_mcap_file_costs_nothing_but_an_error(readers, tmp_path, name):
    file = tmp_path / "bag.mcap"
    file.write_bytes(BOMBS[name])
    assert "cannot be read" in run_bounded(readers, file)


@pytest.mark.parametrize(
    "good",
    [mcap(message()), mcap(GOOD), mcap(GOOD, index=[entry(BEGIN, GOOD, message(), len(message()))])],
    ids=["messages", "a chunk", "an index"],
)
def test_a_plain_file_of_the_same_making_is_read(tmp_path, good):
    (tmp_path / "bag.mcap").write_bytes(good)
    with Recording.open(tmp_path / "bag.mcap") as recording:
        assert [message.data for message in recording.messages()] == [RAW]


def test_a_recorded_picture_that_would_cost_gigabytes_is_left_out(readers, tmp_path):
    good = cv2.imencode(".png", np.zeros((6, 8, 3), np.uint8))[1].tobytes()
    pictures = [compressed("png", data) for data in (good, bomb(30000, 30000, 1, 0), good)]
    bag = write(tmp_path / "bag", *(("/cam/compressed", picture) for picture in pictures))
    assert run_bounded(readers, bag) == "it was read"
    with UnpackedRecording.open(bag) as recording:
        assert len(list(recording.messages())) == 2
        assert "30000x30000" in recording.left_out


def test_a_recorded_depth_that_would_cost_gigabytes_is_refused():
    message = compressed("16UC1; compressedDepth png", bytes(12) + bomb(30000, 30000, 1, 0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordingError, match="30000x30000"):
        decode_depth(message)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB"


def packed_bag(path, plugin, mode, *pictures):
    writer = Writer(path, version=8, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=STORE)
        for index, data in enumerate(pictures):
            writer.write(connection, START + index, data)
    return path


def test_a_packed_message_of_gigabytes_is_refused(readers, tmp_path):
    bag = packed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.MESSAGE, RAW, RAW)
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("UPDATE messages SET data = ? WHERE id = 2", (zstd_bomb(4096),))
    assert "unpacks to more than" in run_bounded(readers, bag)


@pytest.mark.parametrize("plugin", list(StoragePlugin), ids=lambda p: p.name)
def test_a_packed_file_of_terabytes_is_refused_before_it_fills_the_disk(readers, tmp_path, plugin):
    bag = packed_bag(tmp_path / "bag", plugin, CompressionMode.FILE, RAW)
    (file,) = bag.glob("*.zstd")
    block = ((2**17 << 3) | 2).to_bytes(3, "little") + b"\0"
    file.write_bytes(zstd_bomb(2048)[:-3] + block * 10_000)
    assert "unpacks to more than" in run_bounded(readers, bag)


@pytest.mark.parametrize(
    "content", [message(data=b"") * 400_000, record(0, b"") * 400_000], ids=["messages", "nothing"]
)
def test_a_packed_file_of_more_records_than_bytes_is_refused_before_they_are_walked(readers, tmp_path, zstd, content):
    """17 kB that became 55 million records took 44 s of processor time."""
    bag = packed_bag(tmp_path / "bag", StoragePlugin.MCAP, CompressionMode.FILE, RAW)
    (file,) = bag.glob("*.zstd")
    file.write_bytes(zstd.compress(mcap(content)))
    assert " record" in run_bounded(readers, bag)


PROFILES = {
    "no YAML": "- {",
    "no table": "5",
    "three million items": "- 1\n" * 3_000_000,
}
"""QoS that a channel was offered with, which nobody here needs."""


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("indexed", [True, False])
def test_qos_of_a_recording_is_not_looked_at(readers, tmp_path, name, indexed):
    about = text(b"offered_qos_profiles") + text(PROFILES[name].encode())
    begin = len(mcap(about=about)) - 8 - 29
    index = [entry(begin, GOOD, message(), len(message()))] if indexed else []
    (tmp_path / "bag.mcap").write_bytes(mcap(GOOD, index=index, about=about))
    assert run_bounded(readers, tmp_path / "bag.mcap") == "it was read"


@pytest.mark.parametrize("alone", [True, False], ids=["a file", "a folder"])
@pytest.mark.parametrize("name", ["no YAML", "no table"])
def test_qos_of_a_sqlite_recording_is_not_looked_at(readers, tmp_path, name, alone):
    bag = packed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.NONE, RAW)
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("UPDATE topics SET offered_qos_profiles = ?", (PROFILES[name],))
    assert run_bounded(readers, bag / "bag.db3" if alone else bag) == "it was read"


def test_qos_in_metadata_is_not_looked_at(tmp_path):
    bag = write(tmp_path / "bag", ("/image", image()))
    text_, profiles = (bag / "metadata.yaml").read_text(), "offered_qos_profiles: "
    assert profiles in text_
    (bag / "metadata.yaml").write_text(re.sub(f"{profiles}.*", f'{profiles}"- {{"', text_))
    with Recording.open(bag) as recording:
        assert len(list(recording.messages())) == 1


HOSTILE_SQL = {
    "messages without end": "DROP TABLE messages; CREATE VIEW messages AS WITH RECURSIVE r(id) AS (VALUES(1) UNION ALL"
    " SELECT id + 1 FROM r) SELECT id, 1 AS topic_id, id AS timestamp, x'00' AS data FROM r",
    "a column that is computed": "DROP TABLE messages; CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER,"
    " timestamp INTEGER, data BLOB AS (zeroblob(1000000000))); INSERT INTO messages VALUES(1, 1, 5)",
    "a number for data": "UPDATE messages SET data = 2147483647",
    "text for data": "UPDATE messages SET data = 'text'",
    "no data": "DROP TABLE messages; CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,"
    " data BLOB); INSERT INTO messages VALUES(1, 1, 5, NULL)",
    "text for a time": "UPDATE messages SET timestamp = 'now'",
    "a time before all times": "UPDATE messages SET timestamp = -5",
    "a topic that is a number": "UPDATE topics SET name = x'ff'",
    "a type that is a line": "UPDATE topics SET type = 'sensor_msgs/msg/Image' || char(10)",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON messages BEGIN SELECT 1; END",
    "a virtual table": "CREATE VIRTUAL TABLE v USING fts5(x)",
}


@pytest.mark.parametrize("name", HOSTILE_SQL)
@pytest.mark.parametrize("alone", [True, False], ids=["a file", "a folder"])
def test_a_hostile_sqlite_file_costs_nothing_but_an_error(readers, tmp_path, name, alone):
    bag = packed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.NONE, RAW)
    with sqlite3.connect(bag / "bag.db3") as database:
        database.executescript(HOSTILE_SQL[name])
    said = run_bounded(readers, bag / "bag.db3" if alone else bag)
    assert "cannot be read" in said or "no message" in said or "no camera" in said or said == "it was read"
    assert said != "it was read" or not alone  # metadata.yaml says that other topics are there, of which nothing is


HOSTILE_METADATA = {
    "a count in words": ("message_count: 1", "message_count: many"),
    "a count below zero": ("message_count: 1", "message_count: -1"),
    "a count of a fraction": ("message_count: 1", "message_count: .nan"),
    "a duration in words": ("nanoseconds: ", "nanoseconds: ab"),
    "a topic of a million letters": ("name: /image", f"name: /{'a' * 100_000}"),
    "a topic that is a number": ("name: /image", "name: 5"),
    "a topic of two lines": ("name: /image", 'name: "/a\\nb"'),
    "brackets without end": ("rosbag2_bagfile_information:", "[" * 100_000),
    "brackets in a value": ("message_count: 1", f"message_count: 1\n    nothing: {'[' * 2000}{']' * 2000}"),
    "two megabytes": ("rosbag2_bagfile_information:", "#" * 2_000_000 + "\nrosbag2_bagfile_information:"),
    "tables merged into each other": (
        "rosbag2_bagfile_information:",
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 7))
        + "rosbag2_bagfile_information:",
    ),
    "a file of the system": ("- bag.mcap", "- /etc/passwd"),
    "a file above": ("- bag.mcap", "- ../bag.mcap"),
    "no file": ("- bag.mcap", "- ''"),
}


@pytest.mark.parametrize("name", HOSTILE_METADATA)
def test_hostile_metadata_costs_nothing_but_an_error(readers, tmp_path, name):
    bag = write(tmp_path / "bag", ("/image", image()))
    text, (old, new) = (bag / "metadata.yaml").read_text(), HOSTILE_METADATA[name]
    assert old in text
    (bag / "metadata.yaml").write_text(text.replace(old, new))
    said = run_bounded(readers, bag)
    assert "cannot be read" in said or name == "a file above"  # only its last part is looked at


@pytest.mark.parametrize("which", ["metadata.yaml", "bag.mcap", "other"])
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_what_is_no_file_holds_nobody_up(tmp_path, which, what):
    bag = write(tmp_path / "bag", ("/image", image()))
    (bag / which).unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(bag / which)
    else:
        (bag / which).symlink_to("/dev/zero")
    with pytest.raises(RecordingError, match=r"no regular file|no metadata\.yaml"):
        Recording.open(bag)
    if which == "bag.mcap":
        with pytest.raises(RecordingError, match="no regular file"):
            Recording.open(bag / which)


def test_what_packed_bytes_unpack_to_is_bounded_by_their_blocks(zstd):
    rng = np.random.default_rng(0)
    for content in (b"", b"a", bytes(10**6), rng.bytes(300_000), rng.bytes(1000) * 500):
        for level in (1, 19):
            data = zstd.compress(content, level)
            bound = packed.zstd_bound(BytesIO(data), len(data), 2**40)
            assert len(content) <= bound <= len(content) + 2**18
            assert len(content) <= packed.zstd_bound(BytesIO(data * 2), 2 * len(data), 2**40) / 2
    lz4 = pytest.importorskip("lz4.frame")
    for content in (b"", bytes(10**6), rng.bytes(300_000)):
        data = lz4.compress(content, content_checksum=True, block_checksum=True, store_size=False)
        assert len(content) <= packed.lz4_bound(BytesIO(data), len(data), 2**40) <= len(content) + 2**22
    assert lz4.decompress(lz4_bomb(2)) == bytes(len(lz4.decompress(lz4_bomb(2))))


def test_damaged_packed_bytes_are_no_bound_and_no_end():
    rng, whole = np.random.default_rng(0), zstd_bomb(1)
    for _ in range(2000):
        data = bytearray(whole[: rng.integers(len(whole))])
        for _ in range(rng.integers(0, 4)):
            data[rng.integers(len(data) or 1) : 1] = rng.bytes(1)
        for bound in (packed.zstd_bound, packed.lz4_bound):
            try:
                assert bound(BytesIO(bytes(data)), len(data), 2**20) >= 0
            except ValueError:
                continue


@pytest.mark.parametrize("form", ["mcap", "db3"])
def test_every_damage_of_a_recording_is_one_kind_of_error(tmp_path, form):
    if form == "mcap":
        whole = mcap(GOOD, GOOD, index=[entry(BEGIN, GOOD, message(), len(message()))])
    else:
        bag = packed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.NONE, RAW)
        whole = (bag / "bag.db3").read_bytes()
    rng, file = np.random.default_rng(zlib.crc32(form.encode())), tmp_path / f"damaged.{form}"
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            data[rng.integers(len(data))] = rng.integers(256)
        file.write_bytes(data[: rng.integers(len(data))] if rng.random() < 0.2 else data)
        with suppress(RecordingError), Recording.open(file) as recording:
            for each in recording.messages():
                recording.decode(each)


def test_a_reader_that_is_refused_leaves_no_open_file(tmp_path):
    (tmp_path / "bag.mcap").write_bytes(BOMBS["one chunk indexed a thousand times"])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(RecordingError):
            Recording.open(tmp_path / "bag.mcap")
    assert len(os.listdir("/proc/self/fd")) == before
    assert storages.MOST_AT_ONCE == 2**27


def test_pictures_that_are_left_out_are_not_kept(tmp_path):
    """An error holds all that stood where it was raised: a camera that sends nothing but halves filled the memory."""
    broken = bytes(cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1])[:300]
    good = bytes(cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1])
    pictures = [compressed("jpeg", broken, START + number) for number in range(20)] + [compressed("jpeg", good)]
    bag = write(tmp_path / "bag", *(("/eye/compressed", each) for each in pictures))
    with UnpackedRecording.open(bag) as recording:
        assert len(list(recording.messages())) == 1
        gc.collect()
        assert not [each for each in gc.get_objects() if isinstance(each, ImageError)]
        assert "left out: 20" in recording.left_out
        assert len(list(recording.messages())) == 1
        assert "left out: 20" in recording.left_out, "each once, however often it is played"
