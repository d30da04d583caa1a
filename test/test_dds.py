"""Shared memory that pictures need, and the advice about it."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from fastdepth_ros import dds

CONFIG = Path(__file__).resolve().parent.parent / "config"
MIB = 1 << 20


THREADS = """
import os, rclpy
rclpy.init()
node = rclpy.create_node("here")
for thread in os.listdir("/proc/self/task"):
    print(open(f"/proc/self/task/{thread}/comm").read().strip())
node.destroy_node()
rclpy.try_shutdown()
"""


@pytest.fixture
def profile(monkeypatch, tmp_path):
    """Puts a profile with a segment of so many bytes in force; 0 for none."""

    def put(segment):
        for variable in (dds.NEW_NAME, dds.OLD_NAME):
            monkeypatch.delenv(variable, raising=False)
        if segment:
            file = tmp_path / "profile.xml"
            file.write_text(f"<dds><segment_size>{segment}</segment_size></dds>")
            monkeypatch.setenv(dds.profile_variable(), str(file))
        dds.own_segment.cache_clear()

    yield put
    dds.own_segment.cache_clear()


@pytest.mark.parametrize("name", dds.SHIPPED)
def test_the_shipped_profiles_have_the_segments_that_are_told(name):
    assert dds.segment_of(CONFIG / name) == dds.SHIPPED[name]
    assert dds.shipped(name) == CONFIG / name


def test_the_shipped_profiles_differ_in_their_segments_alone():
    def words(name):
        tree = ElementTree.parse(CONFIG / name)
        return [(each.tag, (each.text or "").strip()) for each in tree.iter() if not each.tag.endswith("segment_size")]

    small, large = map(words, dds.SHIPPED)
    assert small == large


def test_nobody_is_told_what_types_are_made_of(dds_profile):
    """Kilted's Fast DDS crashes where a process ends while it answers that: its thread outlives what it writes with."""
    own = {"ROS_DOMAIN_ID": str(1 + os.getpid() % 50), "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT", **dds_profile}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    threads = done.stdout.split()
    assert [name for name in threads if name.startswith("dds.shm")]
    assert not [name for name in threads if name.startswith("dds.tls")]


@pytest.mark.parametrize(
    ("picture", "need"),
    [
        (640 * 480 * 3, 2),
        (1920 * 1080 * 3, 16),
        (2560 * 1440 * 3, 32),
        (3840 * 2160 * 3, 64),
        (4000 * 3000 * 3, 128),
        (8000 * 6000 * 3, 512),
    ],
)
def test_a_segment_holds_two_pictures(picture, need):
    assert dds.needed_segment(picture) == need * MIB


@pytest.mark.parametrize(
    ("picture", "segment", "words"),
    [
        (3840 * 2160 * 3, 16 * MIB, ["24.9 MB", "64 MiB", "this process has 16 MiB", "fastdds_large.xml"]),
        (3840 * 2160 * 3, 0, ["24.9 MB", "64 MiB", "this process has 0.5 MiB", "fastdds_large.xml"]),
        (4000 * 3000 * 3, 128 * MIB, ["36.0 MB", "128 MiB", "this process has 128 MiB", "fastdds_large.xml"]),
        (640 * 480 * 3, 0, ["0.9 MB", "2 MiB", "config/fastdds.xml"]),
        (8000 * 6000 * 3, 128 * MIB, ["512 MiB", f"segment_size to {512 * MIB}"]),
        (60_000, 16 * MIB, ["60 kB fit", "without config/fastdds.xml"]),
        (0, 16 * MIB, ["0.5 MB", "config/fastdds.xml"]),
    ],
)
def test_the_advice_names_the_segment_that_the_pictures_need(profile, picture, segment, words):
    profile(segment)
    said = dds.advice(picture)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("text", ["", "<dds>", "<dds><segment_size>much</segment_size></dds>"])
def test_a_broken_profile_counts_as_none(monkeypatch, tmp_path, text):
    (tmp_path / "profile.xml").write_text(text)
    monkeypatch.setenv(dds.profile_variable(), str(tmp_path / "profile.xml"))
    dds.own_segment.cache_clear()
    assert dds.own_segment() == dds.DEFAULT_SEGMENT
    dds.own_segment.cache_clear()
