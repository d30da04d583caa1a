"""Packets of H.264 and H.265 are decoded as they come, from a key frame on, and nobody's bytes do harm."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slowly import examples
from videos import encoded, film

from fastdepth_ros.codec import units, video
from fastdepth_ros.codec.video import NoKeyFrameError, VideoDecoder, codec_of, pixels_of
from fastdepth_ros.errors import ImageError, SettingError

CODECS = ("h264", "hevc")
FILM = film(20)
GOP = 8


@pytest.fixture(scope="module", params=CODECS)
def codec(request):
    return request.param


@pytest.fixture(scope="module")
def packets(codec):
    return encoded(FILM, codec, GOP)


def difference(frame, picture):
    return np.abs(pixels_of(frame).astype(int) - picture).mean()


def test_each_packet_is_its_picture_at_once(codec, packets):
    decoder = VideoDecoder(codec)
    for packet, picture in zip(packets, FILM, strict=True):
        assert difference(decoder.decode(packet, "it"), picture) < 6


def test_key_frames_are_told_without_decoding(codec, packets):
    looks = [units.look(packet, codec) for packet in packets]
    assert [look.key for look in looks] == [number % GOP == 0 for number in range(len(packets))]
    assert {look.pictures for look in looks} == {1}


def test_slices_of_one_picture_are_one_picture():
    for packet in encoded(FILM[:3], slices="4"):
        assert units.look(packet, "h264").pictures == 1


def test_nothing_is_decoded_before_a_key_frame(codec, packets):
    decoder = VideoDecoder(codec)
    for packet in packets[3:GOP]:
        with pytest.raises(NoKeyFrameError, match="key frame"):
            decoder.decode(packet, "it")
    assert difference(decoder.decode(packets[GOP], "it"), FILM[GOP]) < 6


def test_after_a_loss_the_next_key_frame_is_waited_for(codec, packets):
    decoder = VideoDecoder(codec)
    decoder.decode(packets[0], "it")
    decoder.forget()
    with pytest.raises(NoKeyFrameError):
        decoder.decode(packets[2], "it")
    assert decoder.decode(packets[GOP], "it") is not None


def test_after_a_damaged_packet_the_next_key_frame_is_waited_for(codec, packets):
    decoder = VideoDecoder(codec)
    decoder.decode(packets[0], "it")
    with pytest.raises(ImageError, match="cannot be decoded"):
        decoder.decode(packets[1][: len(packets[1]) // 2], "it")
    with pytest.raises(NoKeyFrameError):
        decoder.decode(packets[2], "it")
    assert decoder.decode(packets[GOP], "it") is not None


def test_a_picture_that_is_too_large_is_refused(codec, packets):
    decoder = VideoDecoder(codec)
    for pixels in (1024, 96 * 128 - 1):
        decoder.max_pixels = pixels
        with pytest.raises(ImageError, match="max_pixels|pixels"):
            decoder.decode(packets[0], "it")
    decoder.max_pixels = 96 * 128
    assert decoder.decode(packets[0], "it") is not None


def test_a_packet_of_many_pictures_is_refused(codec, packets):
    with pytest.raises(ImageError, match="begins 3 pictures"):
        VideoDecoder(codec).decode(packets[0] + packets[1] + packets[2], "it")
    with pytest.raises(ImageError, match="more than"):
        VideoDecoder(codec).decode(b"\0\0\1g" * (units.MOST + 1), "it")


@pytest.mark.parametrize("data", [b"", b"\0\0\1", b"JFIF" * 20])
def test_what_is_no_packet_is_refused(codec, data):
    with pytest.raises(ImageError):
        VideoDecoder(codec).decode(data, "it")


@settings(max_examples=examples(60))
@given(st.data())
def test_bytes_of_anybody_are_refused_or_decoded(data):
    codec = data.draw(st.sampled_from(CODECS))
    packets = encoded(FILM[:2], codec)
    decoder = VideoDecoder(codec)
    for packet in packets:
        changed = bytearray(packet)
        change = st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255))
        for at, byte in data.draw(st.lists(change, max_size=8)):
            changed[at] = byte
        try:
            frame = decoder.decode(bytes(changed), "it")
        except ImageError:
            continue
        assert frame is None or pixels_of(frame).shape[0] * pixels_of(frame).shape[1] <= decoder.max_pixels


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264", "h264"),
        ("H264", "h264"),
        ("libx264", "h264"),
        ("h264;yuv420p;bgr8;bgr8", "h264"),
        ("hevc_nvenc", "hevc"),
        ("H.265", "hevc"),
        ("h265", "hevc"),
        ("jpeg", None),
        ("rgb8; png compressed", None),
        ("av1", None),
        ("", None),
    ],
)
def test_codecs_have_many_names(name, codec):
    assert codec_of(name) == codec


def test_without_pyav_it_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="PyAV") as refused:
        video.check_installed()
    assert "pip install av" in refused.value.remedy
