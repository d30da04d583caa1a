"""Every encoding that a camera driver sends gives the same picture; what cannot be read says why."""

from __future__ import annotations

import importlib.util

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.bits import FIRST, Bits
from fastdepth_ros.messages.bridge import Bridge, find_bridge
from fastdepth_ros.messages.bridge_trial import right_encodings, trial_message
from fastdepth_ros.messages.encodings import ENCODINGS
from fastdepth_ros.messages.images import PictureReader

PATCHES = np.array(
    [[[200, 40, 60], [30, 160, 90], [60, 70, 210]], [[220, 220, 220], [20, 20, 20], [128, 110, 60]]], np.uint8
)
"""Six colours, none of which looks alike when red and blue or two neighbours are swapped."""

SIZE = 16  # of a patch [px]
RGB = PATCHES.repeat(SIZE, axis=0).repeat(SIZE, axis=1)
HEIGHT, WIDTH = RGB.shape[:2]
INSIDE = np.zeros((SIZE, SIZE), bool)
INSIDE[3:-3, 3:-3] = True
INSIDE = np.tile(INSIDE, PATCHES.shape[:2])  # away from the edges, where neighbours share colours


def yuv(rgb):
    """BT.601 with 16..235 and 16..240, as video cameras send it."""
    r, g, b = np.moveaxis(rgb.astype(float), -1, 0)
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    return np.rint(np.stack((y, u, v), -1)).astype(np.uint8)


def grey(rgb):
    return rgb.astype(float) @ (0.299, 0.587, 0.114)


def interleaved(first):
    planes = yuv(RGB)
    packed = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    packed[..., first] = planes[..., 0]
    packed[:, 0::2, 1 - first] = planes[:, 0::2, 1]
    packed[:, 1::2, 1 - first] = planes[:, 1::2, 2]
    return packed.reshape(HEIGHT, -1)


def two_planes(u_first):
    planes = yuv(RGB)
    colours = planes[::2, ::2, 1:] if u_first else planes[::2, ::2, :0:-1]
    return np.concatenate((planes[..., 0], colours.reshape(HEIGHT // 2, WIDTH)))


def bayer(pattern):
    mosaic = np.empty((HEIGHT, WIDTH), np.uint8)
    for i, letter in enumerate(pattern):
        mosaic[i // 2 :: 2, i % 2 :: 2] = RGB[i // 2 :: 2, i % 2 :: 2, "rgb".index(letter)]
    return mosaic


def with_alpha(pixels):
    return np.dstack((pixels, np.full((HEIGHT, WIDTH), 7, np.uint8))).reshape(HEIGHT, -1)


ROWS = {
    "rgb8": lambda: RGB.reshape(HEIGHT, -1),
    "bgr8": lambda: RGB[..., ::-1].reshape(HEIGHT, -1),
    "rgba8": lambda: with_alpha(RGB),
    "bgra8": lambda: with_alpha(RGB[..., ::-1]),
    "mono8": lambda: np.rint(grey(RGB)).astype(np.uint8),
    "mono16": lambda: np.rint(grey(RGB) * 257).astype("<u2").view(np.uint8),
    "uyvy": lambda: interleaved(1),
    "yuv422": lambda: interleaved(1),
    "yuyv": lambda: interleaved(0),
    "yuv422_yuy2": lambda: interleaved(0),
    "nv12": lambda: two_planes(u_first=True),
    "nv21": lambda: two_planes(u_first=False),
    "bayer_rggb8": lambda: bayer("rggb"),
    "bayer_bggr8": lambda: bayer("bggr"),
    "bayer_gbrg8": lambda: bayer("gbrg"),
    "bayer_grbg8": lambda: bayer("grbg"),
}


def opencv():
    """A reader that does not look for cv_bridge."""
    return PictureReader(lambda: None)


def image(encoding, padding=0):
    """The patches as a driver sends them, with ``padding`` bytes of rubbish behind each row."""
    rows = ROWS[encoding]()
    padded = np.hstack((rows, np.full((len(rows), padding), 0xA5, np.uint8)))
    message = Image(encoding=encoding, width=WIDTH, height=HEIGHT, step=padded.shape[1])
    message.data.frombytes(padded.tobytes())
    return message


def as_rgb(picture):
    codes = {"bgr": cv2.COLOR_BGR2RGB, "rgba": cv2.COLOR_RGBA2RGB, "bgra": cv2.COLOR_BGRA2RGB}
    return cv2.cvtColor(picture.pixels, codes[picture.order]) if picture.order in codes else picture.pixels


def test_every_encoding_is_tested():
    assert set(ROWS) == set(ENCODINGS)


@pytest.mark.parametrize("padding", [0, 1, 32], ids=lambda n: f"{n} bytes of padding")
@pytest.mark.parametrize("encoding", ROWS)
def test_every_encoding_gives_the_picture_that_the_camera_saw(encoding, padding):
    picture = opencv().read(image(encoding, padding))
    picture.check()
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    truth = grey(RGB) if picture.order == "grey" else RGB
    difference = np.abs(as_rgb(picture).astype(float) - truth)[INSIDE]
    assert difference.max() <= (3 if ENCODINGS[encoding].code else 1)  # BT.601 in 8 bits rounds twice


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8"])
def test_pixels_that_lie_ready_are_not_copied(encoding):
    message = image(encoding, padding=5)
    assert np.shares_memory(opencv().read(message).pixels, np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize("encoding", ["mono16", "uyvy", "nv12", "bayer_rggb8"])
def test_converted_pixels_go_into_one_buffer(encoding):
    reader = opencv()
    first = reader.read(image(encoding)).pixels
    assert np.shares_memory(first, reader.read(image(encoding)).pixels)


def test_mono16_of_a_big_endian_camera():
    message = image("mono16")
    message.data[:] = type(message.data)("B", np.array(message.data, np.uint8).view("<u2").astype(">u2").tobytes())
    message.is_bigendian = 1
    assert np.abs(opencv().read(message).pixels - grey(RGB)).max() <= 1


@pytest.fixture(scope="module")
def cv_bridge():
    """The installed cv_bridge, if it is right in anything."""
    if importlib.util.find_spec("cv_bridge") is None:
        pytest.skip("cv_bridge is not installed (it comes with a ROS 2 distribution)")
    bridge = find_bridge()
    if bridge is None:
        pytest.skip("the installed cv_bridge does not fit this numpy or OpenCV, so OpenCV decodes everything")
    return bridge


@pytest.mark.parametrize("encoding", [name for name, encoding in ENCODINGS.items() if not encoding.is_view])
def test_cv_bridge_and_opencv_see_the_same_pixels(cv_bridge, encoding):
    if encoding not in cv_bridge.encodings:
        pytest.skip(f"this cv_bridge does not decode {encoding} right, so OpenCV does")
    for message in (trial_message(encoding), image(encoding)):
        assert cv_bridge.reads(message)
        with_bridge, with_opencv = PictureReader(lambda: cv_bridge), opencv()
        np.testing.assert_array_equal(with_bridge.read(message).pixels, with_opencv.read(message).pixels)


class StrangeBridge:
    """Answers of a broken cv_bridge: another picture, or none; mono16 alone is right."""

    def imgmsg_to_cv2(self, message, _encoding):
        if message.encoding.startswith("bayer"):
            raise AttributeError("newbyteorder was removed")
        if message.encoding == "mono16":
            return opencv().read(message).pixels.copy()
        return np.zeros((message.height, message.width, 3), np.uint8)


def test_cv_bridge_is_used_only_where_it_is_right():
    assert right_encodings(StrangeBridge()) == ["mono16"]


def test_padded_rows_are_never_given_to_cv_bridge():
    bridge = Bridge(StrangeBridge(), ["mono16"])
    assert bridge.reads(image("mono16"))
    assert not bridge.reads(image("mono16", padding=1))
    assert not bridge.reads(image("uyvy"))


@pytest.mark.parametrize(
    "fault", ["raise ImportError", "import os; os.kill(os.getpid(), 11)", "print('rgb8 nonsense')"]
)
def test_a_cv_bridge_that_crashes_does_not_take_the_node_along(tmp_path, monkeypatch, fault):
    package = tmp_path / "cv_bridge"
    package.mkdir()
    (package / "__init__.py").write_text(f"{fault}\nraise ImportError")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("_ROS_WHEELS_BOOTSTRAP_COMPLETE", raising=False)
    assert find_bridge() is None


BROKEN = {
    "truncated": (lambda m: m.data.pop(), "truncated"),
    "empty": (lambda m: m.data.__delitem__(slice(None)), "truncated"),
    "oversized": (lambda m: m.data.append(0), "oversized"),
    "wrong step": (lambda m: setattr(m, "step", m.step - 1), "step"),
    "zero step": (lambda m: setattr(m, "step", 0), "step"),
    "huge step": (lambda m: setattr(m, "step", 2**31), "truncated"),
    "zero width": (lambda m: setattr(m, "width", 0), f"0x{HEIGHT}"),
    "zero height": (lambda m: setattr(m, "height", 0), f"{WIDTH}x0"),
    "huge width": (lambda m: setattr(m, "width", 2**31), "step"),
    "unknown encoding": (lambda m: setattr(m, "encoding", "xyz99"), "xyz99"),
    "no encoding": (lambda m: setattr(m, "encoding", ""), "''"),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("encoding", ["rgb8", "mono16", "uyvy", "nv12", "bayer_grbg8"])
def test_a_broken_image_is_refused_with_its_cause_and_remedy(encoding, fault):
    message = image(encoding)
    spoil, cause = BROKEN[fault]
    spoil(message)
    with pytest.raises(ImageError, match=cause) as refused:
        opencv().read(message)
    assert refused.value.remedy


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_image_is_refused_after_a_whole_one(fault):
    """The layout of the image before is remembered, and only for images of that very layout."""
    reader, spoilt = opencv(), image("rgb8")
    spoil, cause = BROKEN[fault]
    spoil(spoilt)
    for _ in range(2):
        reader.read(image("rgb8"))
        with pytest.raises(ImageError, match=cause):
            reader.read(spoilt)


def test_fewer_pixels_are_allowed_from_the_next_image_on():
    reader = opencv()
    reader.read(image("rgb8"))
    reader.max_pixels = WIDTH * HEIGHT - 1
    with pytest.raises(ImageError, match="max_pixels"):
        reader.read(image("rgb8"))


def test_the_next_image_of_a_layout_is_a_view_on_its_own_bytes():
    reader, first, second = opencv(), image("bgr8", padding=4), image("bgr8", padding=4)
    second.data[:] = type(second.data)("B", bytes(len(second.data)))
    assert reader.read(first).pixels.any()
    found = reader.read(second)
    assert found.order == "bgr"
    assert not found.pixels.any()
    assert np.shares_memory(found.pixels, np.frombuffer(second.data, np.uint8))


@given(
    encoding=st.sampled_from([*ENCODINGS, "8UC3", "jpeg"]),
    width=st.integers(0, 9),
    height=st.integers(0, 9),
    more_step=st.integers(-2, 3),
    more_data=st.sampled_from([0, 0, 0, -1, 1]),
    big_endian=st.booleans(),
)
def test_any_message_is_a_picture_or_refused(encoding, width, height, more_step, more_data, big_endian):
    known = ENCODINGS.get(encoding, ENCODINGS["rgb8"])
    step = max(0, width * known.pixel_bytes + more_step)
    message = Image(encoding=encoding, width=width, height=height, step=step, is_bigendian=int(big_endian))
    message.data.frombytes(bytes(max(0, known.rows(height) * step + more_data)))
    try:
        picture = opencv().read(message)
    except ImageError:
        return
    assert (picture.width, picture.height) == (width, height)
    assert more_step >= 0
    assert more_data == 0


@pytest.mark.parametrize(("encoding", "width", "height"), [("uyvy", 15, 4), ("nv12", 15, 4), ("nv21", 16, 5)])
def test_odd_sizes_are_refused_where_neighbours_share_colours(encoding, width, height):
    message = Image(encoding=encoding, width=width, height=height, step=width * 2)
    with pytest.raises(ImageError, match=f"{width}x{height}"):
        opencv().read(message)


def test_a_depth_image_is_told_apart_from_a_colour_image():
    with pytest.raises(ImageError, match="depth image"):
        opencv().read(Image(encoding="16UC1", width=2, height=2, step=4))


def compressed(extension, pixels=RGB[..., ::-1]):
    message = CompressedImage(format=f"bgr8; {extension} compressed bgr8")
    message.data.frombytes(cv2.imencode(f".{extension}", pixels)[1].tobytes())
    return message


@pytest.mark.parametrize("extension", ["jpeg", "png"])
def test_compressed_images_are_read(extension):
    picture = opencv().read(compressed(extension))
    assert np.abs(as_rgb(picture).astype(int) - RGB)[INSIDE].max() <= (0 if extension == "png" else 6)


def test_a_jpeg_padded_with_zeros_is_whole():
    message = compressed("jpeg")
    message.data.frombytes(bytes(64))
    assert opencv().read(message).width == WIDTH


def test_a_grey_png_of_16_bits_is_read_as_colours_of_8():
    picture = opencv().read(compressed("png", np.full((8, 8), 0x8000, np.uint16)))
    assert (picture.pixels == 128).all()


@pytest.mark.parametrize("extension", ["jpeg", "png"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_compressed_image_that_was_cut_short_is_refused(extension, share):
    message = compressed(extension)
    del message.data[int(share * len(message.data)) :]
    with pytest.raises(ImageError, match=r"cut short|neither JPEG nor PNG|corrupt") as refused:
        opencv().read(message)
    assert refused.value.remedy


def test_a_png_with_a_flipped_bit_is_refused():
    message = compressed("png")
    message.data[len(message.data) // 2] ^= 1
    with pytest.raises(ImageError, match="corrupt"):
        opencv().read(message)


@pytest.mark.parametrize(
    "form",
    [
        "16UC1; png compressed",
        "16UC1; png compressed ",
        "32FC1; jpeg compressed",
        "16SC1;png compressed mono16",
        "32FC1; compressedDepth png",
        "16UC1; compressedDepth rvl",
        "mono16; compressedDepth",
        "16uc1; png compressed",
        "TYPE_16UC1; png compressed",
        "z16; png compressed",
        "Depth16; png compressed",
    ],
)
def test_a_compressed_depth_image_is_named_whatever_it_holds(form):
    message = compressed("png", np.full((8, 8), 1000, np.uint16))
    message.format = form
    with pytest.raises(ImageError, match="is a depth image") as refused:
        opencv().read(message)
    assert "colour camera" in refused.value.remedy


def test_a_grey_png_of_16_bits_that_nobody_names_is_refused():
    message = compressed("png", np.full((8, 8), 1000, np.uint16))
    for form in ("png", "", "y16; png compressed", "; png"):
        message.format = form
        with pytest.raises(ImageError, match="depth, or a picture"):
            opencv().read(message)


@pytest.mark.parametrize("form", ["h264", "H265; key frame", "theora", "rgb8/ffmpeg/hevc"])
def test_a_piece_of_a_video_is_named(form):
    with pytest.raises(ImageError, match="video"):
        opencv().read(CompressedImage(format=form, data=b"\0\0\0\1g"))


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_compressed_mosaic_is_seen_in_its_colours(pattern, bits):
    mosaic = bayer(pattern).astype(f"u{bits // 8}") * (257 if bits == 16 else 1)
    message = compressed("png", mosaic)
    message.format = f"bayer_{pattern}{bits}; png compressed "
    picture = opencv().read(message)
    assert np.abs(as_rgb(picture).astype(int) - RGB)[INSIDE].max() <= 1
    message = compressed("png")
    message.format = f"bayer_{pattern}8; png compressed bgr8"
    assert np.abs(as_rgb(opencv().read(message)).astype(int) - RGB)[INSIDE].max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize(
    "form", ["bayer_rggb8; png compressed", "mono8; png compressed", "bayer_rggb8; jpeg compressed"]
)
def test_a_picture_of_one_row_is_refused(form, shape):
    message = compressed("jpeg" if "jpeg" in form else "png", np.zeros(shape, np.uint8))
    message.format = form
    with pytest.raises(ImageError, match="shows nothing"):
        opencv().read(message).check()


@pytest.mark.parametrize("kind", ["raw", "png"])
@pytest.mark.parametrize(("largest", "bits"), [(1023, 10), (4095, 12), (16383, 14), (65535, 16), (3000, 12)])
def test_the_bits_of_mono16_are_found_out(kind, largest, bits):
    dark, light = (np.linspace(0, top, 24 * 16).reshape(16, 24).astype(np.uint16) for top in (largest // 4, largest))
    reader = opencv()
    for words in (light, dark, light):
        if kind == "raw":
            message = Image(encoding="mono16", width=24, height=16, step=48)
            message.data.frombytes(words.tobytes())
        else:
            message = compressed("png", words)
            message.format = "mono16; png compressed "
        pixels = reader.read(message).pixels
        np.testing.assert_allclose(pixels, words * (255 / (2**bits - 1)), atol=0.51)
    assert reader.bits.note.startswith(f"{bits}, as the largest value is {largest}")
    reader.bits.given = 16
    assert np.abs(reader.read(message).pixels - words / 257).max() <= 0.51
    assert "mono16_bits says" in reader.bits.note


def test_pixels_that_are_stuck_say_nothing_of_the_bits():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 4096, (240, 320), np.uint16)
    words[7, 5] = 65535
    message = Image(encoding="mono16", width=320, height=240, step=640)
    reader = opencv()
    for dark in (8, 1, 1, 1, 2):  # the stuck pixel is there from the first, dark picture on
        seen = np.where(words == 65535, words, words // dark)
        message.data = seen.tobytes()
        pixels = reader.read(message).pixels
    assert reader.bits.note.startswith("12, as the largest value is 4095")
    np.testing.assert_allclose(pixels, (seen * (255 / 4095)).clip(0, 255), atol=0.51)
    words[:2] = 65535  # and many are none that are stuck
    message.data = words.tobytes()
    reader.read(message)
    assert reader.bits.bits == 16


@pytest.mark.parametrize(("apart", "bits"), [(1, 16), (2, 16), (14, 16), (15, 12), (1000, 12)])
def test_a_picture_that_was_damaged_does_not_say_how_many_bits_a_camera_has(apart, bits):
    """It would make all that follow sixteen times too dark, as long as the node runs."""
    found = Bits()
    good = np.linspace(0, 4095, 24 * 16).reshape(16, 24).astype(np.uint16)
    damaged = good.copy()
    damaged[8] = 0xFFFF
    for index in range(2 * apart + 2):
        shows_more = index > 0 and (index - 1) % apart == 0
        found.to_8(damaged if shows_more else good)
        assert found.bits == (16 if shows_more else 12)
    found.to_8(good)
    assert found.bits == bits


@pytest.mark.parametrize(("garbage", "bits"), [(1, 12), (2, 12), (3, 16)])
def test_a_first_picture_that_was_none_is_not_believed_for_long(garbage, bits):
    """A driver's first picture is often what was in its memory: all that follow were too dark, for ever."""
    found = Bits()
    good = np.linspace(0, 4095, 24 * 16).reshape(16, 24).astype(np.uint16)
    noise = np.random.default_rng(0).integers(0, 1 << 16, (16, 24), np.uint16)
    for index in range(FIRST):
        found.to_8(noise if index < garbage else good)
    assert found.bits == bits
    assert found.to_8(good).max() == (255 if bits == 12 else 16)
    assert found.note.startswith(f"{bits}, as the largest value is")


def test_a_dark_scene_after_a_light_one_keeps_its_bits():
    found = Bits()
    light = np.linspace(0, 4000, 24 * 16).reshape(16, 24).astype(np.uint16)
    for index in range(100):
        found.to_8(light if index in (1, 3, 5) else light // 8)
    assert found.bits == 12


def test_a_raw_image_larger_than_max_pixels_is_refused():
    reader = opencv()
    reader.max_pixels = WIDTH * HEIGHT
    assert reader.read(image("rgb8")).width == WIDTH
    reader.max_pixels -= 1
    for message in (image("rgb8"), image("nv12"), compressed("png"), compressed("jpeg")):
        with pytest.raises(ImageError, match=f"{WIDTH}x{HEIGHT}"):
            reader.read(message)


@pytest.mark.parametrize("name", ["x" * 1_000_000, "\n\r\x1b[31m" * 9, "\u202e" * 99])
def test_a_name_from_outside_fits_into_a_line(name):
    messages = [image("rgb8"), compressed("jpeg"), compressed("jpeg"), compressed("png", np.zeros((8, 8), np.uint16))]
    messages[0].encoding, messages[1].format, messages[2].format = name, name, f"16UC1; {name} compressedDepth"
    messages[3].format = name
    del messages[1].data[100:]
    for message in messages:
        with pytest.raises(ImageError) as refused:
            opencv().read(message)
        assert len(str(refused.value)) < 1500
        assert str(refused.value).isprintable()


def test_what_is_no_image_is_refused():
    message = CompressedImage(format="jpeg")
    message.data.frombytes(b"GIF89a" + bytes(100))
    with pytest.raises(ImageError, match="neither JPEG nor PNG"):
        opencv().read(message)
