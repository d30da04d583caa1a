"""Data that is learned from: files as people have them, and what the network is shown of them."""

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame, open_source
from fastdepth_ros.training import augment
from fastdepth_ros.training.augment import Ranges, TrainingView, mixed, plain_view, random_view, seen_part

STILL = Ranges(scale=1.0, rotation=0.0, jitter=0.0, shift=False)


def pixels(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    smooth = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC))


def camera(width: int, height: int, fx: float, fy: float) -> Intrinsics:
    return Intrinsics(width, height, fx, fy, width / 2, height / 2)


def files(seed: int, depth: bool = True) -> dict[str, bytes]:
    """A sample as NAME.png, NAME.json and NAME.depth.png; PNG, so that nothing is lost."""
    about = {"set": "ours", "source": f"ours:{seed}.png", "intrinsics": {"fx": 50, "fy": 51, "cx": 32, "cy": 24}}
    found = {
        ".png": cv2.imencode(".png", pixels(seed)[:, :, ::-1])[1].tobytes(),
        ".json": json.dumps(about).encode(),
    }
    if depth:
        found[".depth.png"] = cv2.imencode(".png", np.full((48, 64), 1000 + seed, np.uint16))[1].tobytes()
    return found


def test_a_shard_and_a_folder_of_the_same_files_give_the_same_samples(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with tarfile.open(tmp_path / "shard.tar", "w") as archive:
        for seed in (2, 1, 3):
            for suffix, data in files(seed, depth=seed != 3).items():
                (folder / f"s{seed}{suffix}").write_bytes(data)
                member = tarfile.TarInfo(f"s{seed}{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    for source in (folder, tmp_path / "shard.tar"):
        samples = open_source(source)
        assert [sample.name for sample in samples] == ["s1", "s2", "s3"]
        assert [sample.has_depth for sample in samples] == [True, True, False]
        assert {sample.set for sample in samples} == {"ours"}
        second = samples[1].read()
        np.testing.assert_array_equal(second.pixels, pixels(2))
        assert second.depth is not None
        assert second.depth.dtype == np.float32
        assert second.depth[5, 5] == pytest.approx(1.002)
        assert second.camera == Intrinsics(64, 48, 50, 51, 32, 24)
        assert samples[2].read().depth is None


HOSTILE = {
    "no JSON": {".json": b"{"},
    "a list for a table": {".json": b"[1]"},
    "a camera without numbers": {".json": b'{"intrinsics": [1, 2]}'},
    "a camera of words": {".json": b'{"intrinsics": {"fx": "wide", "fy": 1, "cx": 1, "cy": 1}}'},
    "a camera without end": {".json": b'{"intrinsics": {"fx": 1e999, "fy": 1, "cx": 1, "cy": 1}}'},
    "depth in colours": {".depth.png": cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()},
    "no depth": {".depth.png": b"\x89PNG"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_of_anybody_are_refused_by_their_names(tmp_path: Path, name: str) -> None:
    for suffix, data in (files(1) | HOSTILE[name]).items():
        (tmp_path / f"s1{suffix}").write_bytes(data)
    with pytest.raises(SettingError, match="s1"):
        open_source(tmp_path)[0].read()


def test_shards_of_anybody_are_refused_by_their_names(tmp_path: Path) -> None:
    shard = tmp_path / "shard.tar"
    shard.write_bytes(b"no archive" * 100)
    with pytest.raises(SettingError, match=r"shard\.tar cannot be read"):
        open_source(shard)
    with tarfile.open(shard, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("s1.png"))
    with pytest.raises(SettingError, match="do not compress it"):
        open_source(shard)
    member = tarfile.TarInfo("s1.png")
    member.size = 2**40
    shard.write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises(SettingError, match="1099511627776 bytes|cannot be read"):
        open_source(shard)[0].read()


def test_nyu_hdf5_files_are_read_as_mit_wrote_them(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is in requirements/train.txt")
    scene = tmp_path / "train" / "kitchen_0001"
    scene.mkdir(parents=True)
    rgb = pixels(4, 480, 640)
    with h5py.File(scene / "00001.h5", "w") as file:
        file["rgb"] = rgb.transpose(2, 0, 1)
        file["depth"] = np.full((480, 640), 2.5, np.float32)
    (sample,) = open_source(tmp_path)
    picture = sample.read()
    assert sample.set == "kitchen_0001"
    np.testing.assert_array_equal(picture.pixels, rgb)
    assert picture.depth is not None
    assert picture.depth[0, 0] == 2.5
    assert seen_part(picture) == pytest.approx((583.7, 437.8), abs=0.1)  # the paper's view


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no picture"):
        open_source(tmp_path)
    with pytest.raises(SettingError, match="holds no pictures"):
        open_source(tmp_path / "nowhere.tar")


def test_a_still_view_is_the_picture_itself() -> None:
    image = pixels(1, 224, 224)
    # A square picture of an unknown camera: its 4:3 middle, squeezed.
    view = random_view(Frame(image, None, None), 224, STILL, np.random.default_rng(3))
    middle = cv2.resize(image[28:196], (224, 224), interpolation=cv2.INTER_LINEAR).astype(int)
    difference = np.minimum(abs(view.pixels.astype(int) - middle), abs(view.pixels[:, ::-1].astype(int) - middle))
    assert np.percentile(difference, 99) <= 2


def test_a_view_may_be_wider_than_high() -> None:
    depth = (1 + np.arange(480)[:, None] / 100 + np.arange(640) / 200).astype(np.float32)
    picture = Frame(pixels(1, 480, 640), depth, None)
    view, plain = random_view(picture, 64, STILL, np.random.default_rng(3), 96), plain_view(picture, 64, 96)
    assert view.pixels.shape == plain.pixels.shape == (64, 96, 3)
    assert view.depth is not None
    assert plain.depth is not None
    flipped = np.abs(view.depth - plain.depth).max() > np.abs(view.depth[:, ::-1] - plain.depth).max()
    # One takes the pixel in a cell's middle, the other that in its corner, 7 rows and 3 columns away.
    assert np.abs((view.depth[:, ::-1] if flipped else view.depth) - plain.depth)[1:-1, 1:-1].max() < 0.12


def test_light_falls_on_a_view_that_is_wider_than_high() -> None:
    lit = Ranges(scale=1.0, rotation=0.0, jitter=0.0, shift=False, exposure=1.0, light=2.0)
    picture = Frame(np.full((480, 640, 3), 100, np.uint8), None, None)
    views = [random_view(picture, 64, lit, np.random.default_rng(seed), 96).pixels for seed in range(20)]
    assert {view.shape for view in views} == {(64, 96, 3)}
    assert sum(np.ptp(view[..., 1]) > 20 for view in views) >= 5, "patches of sun and shadow in about half of them"


def test_depth_stays_on_its_pixels_when_turned_scaled_and_flipped() -> None:
    columns, rows = np.meshgrid(np.arange(320), np.arange(240))
    truth = (1 + rows / 100 + columns / 200).astype(np.float32)
    # The picture's red channel says what the depth is.
    red = ((truth - 1) * 60).astype(np.uint8)
    picture = Frame(np.dstack([red, red, red]), truth, None)
    for seed in range(8):
        view = random_view(picture, 224, Ranges(jitter=0.0), np.random.default_rng(seed))
        assert view.depth is not None
        said = 1 + cv2.resize(view.pixels[:, :, 0], (112, 112), interpolation=cv2.INTER_AREA) / 60
        inside = view.depth > 0
        inside[:8] = inside[-8:] = inside[:, :8] = inside[:, -8:] = False
        assert inside.mean() > 0.6
        assert np.abs(said - view.depth)[inside].max() < 0.06


def test_depth_is_divided_by_how_much_a_view_is_zoomed() -> None:
    kinect = Frame(pixels(1, 480, 640), np.full((480, 640), 3.0, np.float32), camera(640, 480, 518.86, 519.47))
    near = random_view(kinect, 224, STILL, np.random.default_rng(0))
    assert near.depth is not None
    assert np.median(near.depth) == pytest.approx(3.0, rel=2e-3)  # the network's own camera: as measured
    ratios = []
    for seed in range(30):
        view = random_view(kinect, 224, Ranges(), np.random.default_rng(seed))
        assert view.depth is not None
        ratios.append(3.0 / np.median(view.depth))
    assert 1.0 <= min(ratios) < 1.1
    assert 1.4 < max(ratios) <= 1.5 * 1.002


def test_the_doubt_of_a_depth_stays_with_it_in_every_view() -> None:
    depth = np.random.default_rng(0).uniform(1, 5, (48, 64)).astype(np.float32)
    depth[:10] = 0
    frame = Frame(pixels(1), depth, camera(64, 48, 100, 100), depth * np.float32(0.1))
    zoomed = Ranges(scale=2.0, rotation=10.0, jitter=0.0)
    for view in (plain_view(frame, 32), *(random_view(frame, 32, zoomed, np.random.default_rng(i)) for i in range(5))):
        assert view.depth is not None
        assert view.sigma is not None
        assert view.sigma == pytest.approx(view.depth * 0.1)
    sure = Frame(frame.pixels, depth, frame.camera)
    assert plain_view(sure, 32).sigma is random_view(sure, 32, zoomed, np.random.default_rng(0)).sigma is None


def test_a_wide_camera_is_cut_to_what_the_network_would_see() -> None:
    wide = Frame(pixels(1, 256, 452), None, camera(452, 256, 226.0, 225.9))
    width, height = seen_part(wide)
    assert width == pytest.approx(226.0 * 224 / 199.1)
    assert height == pytest.approx(225.9 * 224 / 265.8)
    assert augment.focal_ratio(wide, width, height) == pytest.approx(1.0)


def test_the_plain_view_keeps_depth_as_measured() -> None:
    cropped = Frame(pixels(1, 256, 337), np.full((256, 337), 2.0, np.float32), camera(337, 256, 312.2, 312.2))
    view = plain_view(cropped, 224)
    assert view.pixels.shape == (224, 224, 3)
    assert view.depth is not None
    assert view.depth.shape == (112, 112)
    assert (view.depth == 2.0).all()
    assert seen_part(cropped) == (337, 256)


def test_the_same_chance_gives_the_same_view() -> None:
    picture = Frame(pixels(1), np.ones((48, 64), np.float32), None)
    one, two = (random_view(picture, 224, Ranges(), np.random.default_rng([1, 2, 3])) for _ in range(2))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert one.depth is not None
    assert two.depth is not None
    np.testing.assert_array_equal(one.depth, two.depth)


def test_another_light_changes_the_pixels_and_neither_depth_nor_what_a_teacher_sees() -> None:
    picture = Frame(pixels(1, 240, 320), np.full((240, 320), 2.0, np.float32), None)
    relit = Ranges(scale=1.0, rotation=0.0, jitter=0.0, shift=False, exposure=1.5, light=2.0, undeceived=True)
    changed, bright = [], []
    for seed in range(20):
        plain, view = (random_view(picture, 224, each, np.random.default_rng(seed)) for each in (STILL, relit))
        assert plain.taught is None
        assert view.depth is not None
        assert plain.depth is not None
        np.testing.assert_array_equal(view.depth, plain.depth)
        np.testing.assert_array_equal(view.taught, plain.pixels)
        # At most 1.5 stops of exposure, its tint, and three patches of 2 stops on top of each other.
        most = 2 ** ((1.5 + 0.225 + 6.0) / augment.GAMMA)
        assert (view.pixels <= np.minimum(plain.pixels * most + 1, 255)).all()
        changed.append(float(np.mean(view.pixels != plain.pixels)))
        bright.append(float(np.mean(view.pixels)) / float(np.mean(plain.pixels)))
    assert min(changed) > 0.5
    assert min(bright) < 0.8
    assert max(bright) > 1.2


def test_patches_of_light_have_edges_where_the_picture_has_none() -> None:
    grey = Frame(np.full((224, 298, 3), 100, np.uint8), None, None)
    patched = Ranges(scale=1.0, rotation=0.0, jitter=0.0, shift=False, light=2.0)
    spans = [int(np.ptp(random_view(grey, 224, patched, np.random.default_rng(seed)).pixels)) for seed in range(20)]
    # About half of the views have some; a patch may differ little.
    assert sum(span == 0 for span in spans) >= 5
    assert sum(span > 20 for span in spans) >= 5


def test_a_mixed_view_is_of_two_and_only_a_teacher_knows_its_depth() -> None:
    known = np.ones((112, 112), np.float32)
    one, other = (TrainingView(np.full((224, 224, 3), each, np.uint8), known) for each in (40, 200))
    view = mixed(one, other, 0.75)
    assert view.depth is None
    assert (view.pixels == 80).all()
    np.testing.assert_array_equal(view.taught, view.pixels)
