"""Which topics of a recording belong together, and which only look as if they did."""

import json

import pytest
from bags import camera_info, compressed, image, write

from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording import Recording, UnpackedRecording, find_camera, its_camera


def pair(tmp_path, picture, info, frames=("front_optical", "rear_optical")):
    """The name of the camera_info that is taken for the picture's, and why there is none."""
    path = write(tmp_path / "bag", (picture, image(frame=frames[0])), (info, camera_info(frame=frames[1])))
    with Recording.open(path) as recording:
        topics = find_camera(recording)
        return topics.camera_info and topics.camera_info.name, topics.why_no_camera_info


@pytest.mark.parametrize(
    ("picture", "info"),
    [
        ("/front/image_raw", "/rear/camera_info"),
        ("/front", "/rear/camera_info"),
        ("/image_raw", "/camera_info"),
        ("/robot/front/image_raw", "/robot/rear/camera_info"),
        ("/robot/front", "/robot/rear/camera_info"),
        ("/cameras/front", "/cameras/rear_info"),
        ("/front/image_raw/compressed", "/image_raw/compressed/camera_info"),
    ],
)
def test_the_camera_info_of_another_camera_is_not_taken_for_the_pictures(tmp_path, picture, info):
    found, why = pair(tmp_path, picture, info)
    assert found is None
    assert info in why
    assert picture in why


@pytest.mark.parametrize("frames", [("", ""), ("front_optical", ""), ("", "rear_optical")])
@pytest.mark.parametrize(
    ("picture", "info"),
    [
        ("/front/image_raw", "/rear/camera_info"),
        ("/robot/front/image_raw", "/robot/rear/camera_info"),
        ("/left", "/right/camera_info"),
    ],
)
def test_without_frame_ids_names_that_differ_are_two_cameras(tmp_path, picture, info, frames):
    assert pair(tmp_path, picture, info, frames)[0] is None


@pytest.mark.parametrize(
    ("picture", "info"),
    [
        ("/front/image_raw", "/front/camera_info"),
        ("/front/color/image_raw", "/front/camera_info"),
        ("/robot/front/image_raw", "/robot/camera_info"),
        ("/front", "/front/camera_info"),
    ],
)
def test_a_part_of_the_name_that_is_shared_beyond_the_root_pairs(tmp_path, picture, info):
    assert pair(tmp_path, picture, info) == (info, "")


def test_names_in_the_root_pair_where_no_frame_id_contradicts(tmp_path):
    assert pair(tmp_path, "/image_raw", "/camera_info", ("", ""))[0] == "/camera_info"


def test_equal_frame_ids_pair_whatever_the_names(tmp_path):
    assert pair(tmp_path, "/front/image_raw", "/calibration", ("eye", "eye")) == ("/calibration", "")


def test_of_two_camera_infos_that_of_the_same_frame_wins(tmp_path):
    path = write(
        tmp_path / "bag",
        ("/cam/depth/camera_info", camera_info(frame="depth")),
        ("/cam/camera_info", camera_info(frame="depth")),
        ("/calibration/colour", camera_info(frame="colour")),
        ("/cam/color/image_raw", image(frame="colour")),
    )
    with Recording.open(path) as recording:
        assert find_camera(recording).camera_info.name == "/calibration/colour"


def test_a_camera_info_that_is_named_is_taken(tmp_path):
    path = write(tmp_path / "bag", ("/front/image", image(frame="a")), ("/rear/camera_info", camera_info(frame="b")))
    with Recording.open(path) as recording:
        topics = find_camera(recording, camera_info="/rear/camera_info")
        assert (topics.camera_info.name, topics.why_no_camera_info) == ("/rear/camera_info", "")


def test_the_true_depth_in_the_pictures_frame_wins(tmp_path):
    path = write(
        tmp_path / "bag",
        ("/front/image_raw", image(frame="front")),
        ("/rear/ground_truth", image("16UC1", frame="rear")),
        ("/front/depth", image("16UC1", frame="front")),
    )
    with Recording.open(path) as recording:
        assert find_camera(recording).ground_truth.name == "/front/depth"


VIDEO = b"\0\0\0\1\x67\x42\xc0\x1e"


@pytest.mark.parametrize("kind", [Recording, UnpackedRecording])
@pytest.mark.parametrize(
    ("format_", "named"), [("vp9", "vp9 video"), ("bgr8; AV1", "av1 video"), ("", "neither JPEG nor PNG")]
)
def test_video_of_another_kind_is_not_taken_for_the_camera_and_is_named(tmp_path, kind, format_, named):
    path = write(tmp_path / "bag", ("/cam/image/compressed", compressed(format_, VIDEO)))
    with kind.open(path) as recording:
        with pytest.raises(RecordingError) as caught:
            find_camera(recording)
        assert f"/cam/image/compressed ({named}" in caught.value.cause or named in caught.value.cause
        assert "republish" in caught.value.remedy
        with pytest.raises(RecordingError, match=named):
            find_camera(recording, image="/cam/image/compressed")


def test_pictures_win_over_video_of_a_better_name(tmp_path):
    path = write(
        tmp_path / "bag", ("/color/image_raw/compressed", compressed("h265", VIDEO)), ("/eye", compressed("jpeg"))
    )
    with Recording.open(path) as recording:
        assert find_camera(recording).image.name == "/eye"


def test_a_first_message_that_is_broken_hides_no_camera(tmp_path):
    path = write(tmp_path / "bag", ("/eye", compressed("", b"")), ("/eye", compressed("", b"\xff\xd8\xff\xe0")))
    with Recording.open(path) as recording:
        assert find_camera(recording).image.name == "/eye"


@pytest.mark.parametrize(
    ("picture", "said"),
    [(image(frame="front_optical"), ["raw", "front_optical"]), (compressed("jpeg"), ["compressed", "camera"])],
)
def test_launch_is_told_how_images_were_sent_and_their_frame(tmp_path, capfd, picture, said):
    path = write(tmp_path / "bag", ("/image", picture))
    assert its_camera.main(str(path)) == 0
    assert json.loads(capfd.readouterr().out) == said


def test_launch_is_told_in_a_line_why_a_recording_cannot_be_played(tmp_path, capfd):
    assert its_camera.main(str(tmp_path / "nosuch")) == 2
    words = capfd.readouterr().err
    assert words.count("\n") == 1
    assert words.startswith("there is no recording")
