"""`fastdepth infer --anchors`: measured depths of a picture, from a file or from a recording."""

import csv
import json

import cv2
import numpy as np
import pytest
from anchor_messages import cloud_of, depth_image_of, header, tf_message_of, transform_of, xyz_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image, LaserScan, Range
from slowly import examples

from fastdepth_ros.cli import main
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.recording import RecordingWriter
from fastdepth_ros.recording.anchor_file import read_anchor_file

WIDTH, HEIGHT, FOCAL = 320, 240, 262.5
DEPTH = 3.0
"""Everything that is measured is so far [m]."""


@pytest.fixture
def picture(tmp_path):
    rng = np.random.default_rng(0)
    file = tmp_path / "room.png"
    cv2.imwrite(str(file), cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (WIDTH, HEIGHT)))
    return file


@pytest.fixture
def infer(module, bundle, tmp_path, picture):
    assert module

    def run(*arguments, pictures=(picture,)):
        out = tmp_path / "out"
        options = ["--model", str(bundle.path), "--out", str(out), "--focal", str(FOCAL), "--max-depth", "100"]
        status = main(["infer", *options, *map(str, (*pictures, *arguments))])
        file = out / "room.depth.npy"
        return status, np.load(file) if file.exists() else None

    return run


def pixels(count=150):
    rng = np.random.default_rng(3)
    return np.column_stack((rng.integers(30, WIDTH - 30, count), rng.integers(20, HEIGHT - 20, count)))


def rows(**more):
    return [{"u": int(u), "v": int(v), "metres": DEPTH, "sigma": 0.05, **more} for u, v in pixels()]


def write(path, table):
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
    else:
        path.write_text(json.dumps(table))  # which is YAML, too
    return path


def off(depth):
    """Median error in log depth."""
    return float(np.abs(np.log(depth[np.isfinite(depth)] / DEPTH)).mean())


@pytest.mark.parametrize("name", ["measured.csv", "measured.yaml"])
def test_depth_is_nearer_to_what_a_file_says_was_measured(infer, tmp_path, name, capsys):
    _, alone = infer()
    status, anchored = infer("--anchors", write(tmp_path / name, rows()))
    assert status == 0
    assert off(anchored) < 0.5 * off(alone)
    sigma = np.load(tmp_path / "out" / "room.uncertainty.npy")
    assert (sigma[np.isfinite(anchored)] > 0).all()
    assert "of 150" in capsys.readouterr().out


def test_each_picture_gets_its_own_rows(infer, tmp_path, picture):
    other = tmp_path / "other.png"
    other.write_bytes(picture.read_bytes())
    file = write(tmp_path / "measured.csv", rows(picture="other.png"))
    status, room = infer("--anchors", file, pictures=(picture, other))
    assert status == 0
    assert off(np.load(tmp_path / "out" / "other.depth.npy")) < 0.5 * off(room)


def test_several_pictures_and_no_word_on_which_is_refused(infer, tmp_path, picture, capsys):
    other = tmp_path / "other.png"
    other.write_bytes(picture.read_bytes())
    status, _ = infer("--anchors", write(tmp_path / "measured.csv", rows()), pictures=(picture, other))
    assert status == 2
    assert "line 2 does not say which picture it is of" in capsys.readouterr().err


GOOD = "u,v,metres,sigma,source\n10,20,1.5,0.1,scan\n"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "", "lacks u"),
        ("a.csv", "u,v\n1,2\n", "lacks metres"),
        ("a.csv", "u,v,metres,colour\n1,2,3,4\n", "has 'colour'"),
        ("a.csv", "u,u,v,metres\n1,2,3,4\n", "a name twice"),
        ("a.csv", "u,v,metres\n", "holds no measured depth"),
        ("a.csv", "u,v,metres\n1,2\n", "line 2 has not as many values"),
        ("a.csv", "u,v,metres\n1,2,3,4\n", "line 2 has not as many values"),
        ("a.csv", "u,v,metres\n1,2,near\n", "line 2: metres is 'near', no number"),
        ("a.csv", "u,v,metres\n1,2,nan\n", "metres is 'nan', no number"),
        ("a.csv", "u,v,metres\n1,2,1e999\n", "no number"),
        ("a.csv", "u,v,metres\n1,2,-3\n", "metres is -3, which is no depth"),
        ("a.csv", "u,v,metres,sigma\n1,2,3,0\n", "sigma is 0, which is no standard deviation"),
        ("a.csv", "u,v,metres,source\n1,2,3,radar\n", "the source is 'radar', none of anchors"),
        ("a.csv", "u,v,metres\n900,2,3\n", "line 2: the pixel (900, 2) lies outside the picture of 320x240"),
        ("a.csv", "u,v,metres,picture\n1,2,3,hall.png\n", "holds nothing of room.png"),
        ("a.csv", "u,v,metres\n1,2,\xff\n", "cannot be read"),
        ("a.csv", 'u,v,metres\n1,2,"3\n', "cannot be read"),
        ("a.yaml", "u: 3", "it is no list"),
        ("a.yaml", "[3]", "entry 1 is no table"),
        ("a.yaml", "[{u: 1, v: 2}]", "entry 1 lacks metres"),
        ("a.yaml", "[{u: 1, v: 2, metres: [3]}]", "entry 1: metres is [3], no number"),
        ("a.yaml", "[{u: 1, v: true, metres: 3}]", "v is True, no number"),
        ("a.yaml", "[{u: 1, v: 2, metres: 3, picture: 7}]", "the picture is 7"),
        ("a.yaml", "[{u: 1, v: 2, [3]: 3}]", "cannot be read"),
        ("a.yaml", "[&a {u: 1, v: 2, metres: 3}, *a]", "alias"),
        ("a.txt", GOOD, "neither CSV nor YAML nor a recording"),
    ],
)
def test_a_file_that_cannot_be_is_told_in_one_line(infer, tmp_path, capsys, name, text, says):
    file = tmp_path / name
    file.write_bytes(text.encode("latin-1"))
    status, _ = infer("--anchors", file)
    said = capsys.readouterr().err
    assert status in (1, 2)
    assert says in said
    assert "Traceback" not in said


LINES = st.lists(
    st.lists(
        st.one_of(
            st.sampled_from(["u", "v", "metres", "sigma", "source", "1", "-1", "nan", "1e400", "", '"']), st.text()
        ),
        max_size=6,
    ).map(",".join),
    max_size=4,
).map(lambda lines: "\n".join(["u,v,metres", *lines]).encode("utf-8", "surrogatepass"))


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=200), LINES), kind=st.sampled_from(["csv", "yaml"]))
def test_whatever_a_file_holds_is_rows_or_one_error(tmp_path, data, kind):
    file = tmp_path / f"any.{kind}"
    file.write_bytes(data)
    said, rows = "", []
    try:
        rows = read_anchor_file(file)
    except AnchorError as error:
        said = str(error)
    assert bool(rows) != bool(said)
    assert said.isprintable()
    assert all(np.isfinite((row.u, row.v, row.metres)).all() and row.metres > 0 for row in rows)


def test_a_file_that_is_not_there_is_named(infer, tmp_path, capsys):
    assert infer("--anchors", tmp_path / "none.csv")[0] == 2
    assert "none.csv cannot be read" in capsys.readouterr().err


EYE = "eye_optical_frame"


def points():
    across, down = pixels().T
    x, y = (across - (WIDTH - 1) / 2) / FOCAL * DEPTH, (down - (HEIGHT - 1) / 2) / FOCAL * DEPTH
    return np.stack((x, y, np.full(len(x), DEPTH)), axis=1)


def camera(stamp=7):
    image = Image(header=header(EYE, stamp), width=8, height=6, encoding="rgb8", step=24)
    image.data.frombytes(bytes(144))
    return ("/camera/image_raw", image)


def record(path, *messages):
    with RecordingWriter(path) as writer:
        for index, (topic, message) in enumerate(messages):
            kind = (
                "tf2_msgs/msg/TFMessage" if isinstance(message, bytes) else f"sensor_msgs/msg/{type(message).__name__}"
            )
            data = message if isinstance(message, bytes) else bytes(serialize_message(message))
            writer.write(topic, kind, 7_000_000_000 + index * 10**6, data)
    return path


def scan(frame):
    angles = np.linspace(-0.4, 0.4, 81)
    message = LaserScan(header=header(frame), angle_min=-0.4, angle_increment=0.01, range_max=20.0)
    message.ranges = (DEPTH / np.cos(angles)).tolist()
    return message


def in_body(points):
    """Points of the optical frame in the body frame at the same place."""
    return np.stack((points[:, 2], -points[:, 0], -points[:, 1]), axis=1)


def test_points_of_a_recording_in_the_cameras_frame_are_used(infer, tmp_path):
    _, alone = infer()
    bag = record(tmp_path / "bag", camera(), ("/slam/points", cloud_of(xyz_of(points()), header=header(EYE))))
    status, anchored = infer("--anchors", bag)
    assert status == 0
    assert off(anchored) < 0.5 * off(alone)


def test_points_in_the_map_are_placed_by_the_recorded_tf(infer, tmp_path):
    _, alone = infer()
    moved = np.add(in_body(points()), (5.0, 1.0, 0.5))
    fixed = transform_of("base", EYE, (0.0, 0.0, 0.5), (-0.5, 0.5, -0.5, 0.5))
    moving = transform_of("map", "base", (5.0, 1.0, 0.0), nanosec=250_000_000)
    bag = record(
        tmp_path / "bag",
        camera(),
        ("/tf_static", tf_message_of(fixed)),
        ("/tf", tf_message_of(moving)),
        ("/slam/points", cloud_of(xyz_of(moved), header=header("map"))),
    )
    status, anchored = infer("--anchors", bag)
    assert status == 0
    assert off(anchored) < 0.5 * off(alone)


def test_a_scan_whose_place_is_not_known_is_told_and_placed_by_its_owner(infer, tmp_path, capsys):
    _, alone = infer()
    bag = record(tmp_path / "bag", camera(), ("/scan", scan("laser")))
    assert infer("--anchors", bag)[0] == 2
    assert "laser" in capsys.readouterr().err
    status, anchored = infer("--anchors", bag, "--anchor-extrinsics", "scan=0 0 0 0 0 0")
    assert status == 0
    assert off(anchored) < off(alone)


def test_a_range_and_a_matrix_of_zones_are_used(infer, tmp_path):
    _, alone = infer()
    place = "range=0 0 0 0 0 0; anchor_depth=0 0 0 0 0 0"
    ranger = Range(header=header("sonar"), field_of_view=0.1, min_range=0.1, max_range=9.0, range=DEPTH)
    k = [9.6, 0.0, 3.5, 0.0, 9.6, 3.5, 0.0, 0.0, 1.0]
    info = CameraInfo(header=header("tof"), width=8, height=8, distortion_model="plumb_bob", d=[0.0] * 5, k=k)
    zones = depth_image_of(np.full((8, 8), 1000 * DEPTH, np.uint16))
    bag = record(
        tmp_path / "bag",
        camera(),
        ("/sonar", ranger),
        ("/tof/camera_info", info),
        ("/tof/image", zones),
    )
    status, anchored = infer("--anchors", bag, "--anchor-extrinsics", place)
    assert status == 0
    assert off(anchored) < 0.5 * off(alone)


def test_a_recording_without_measured_depths_says_what_it_needs(infer, tmp_path, capsys):
    assert infer("--anchors", record(tmp_path / "bag", camera()))[0] == 2
    assert "holds no measured depths, only /camera/image_raw" in capsys.readouterr().err


def test_a_cut_message_of_a_recording_is_told(infer, tmp_path, capsys):
    with RecordingWriter(tmp_path / "bag") as writer:
        data = bytes(serialize_message(cloud_of(xyz_of(points()), header=header(EYE))))
        writer.write("/camera/image_raw", "sensor_msgs/msg/Image", 0, bytes(serialize_message(camera()[1])))
        writer.write("/slam/points", "sensor_msgs/msg/PointCloud2", 0, data[:-40])
    assert infer("--anchors", tmp_path / "bag")[0] == 2
    assert "Traceback" not in capsys.readouterr().err
