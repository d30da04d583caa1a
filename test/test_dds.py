"""Shared memory that pictures need, and the advice about it."""

from pathlib import Path

import pytest

from fastdepth_ros import dds

CONFIG = Path(__file__).resolve().parent.parent / "config"
MIB = 1 << 20


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
