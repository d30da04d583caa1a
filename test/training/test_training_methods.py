"""Methods are files of data: each is read, and becomes a recipe for any network and any folder of pictures."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.camera import Intrinsics  # noqa: E402
from fastdepth_ros.errors import SettingError  # noqa: E402
from fastdepth_ros.evaluation.dataset import Frame, Sample  # noqa: E402
from fastdepth_ros.network.entries import entry  # noqa: E402
from fastdepth_ros.network.entries import names as entries  # noqa: E402
from fastdepth_ros.training.augment import Crop, Ranges, random_view  # noqa: E402
from fastdepth_ros.training.method import Choice, method, names, recipe_of  # noqa: E402
from fastdepth_ros.training.modules import network_named  # noqa: E402
from fastdepth_ros.training.optimising import learning_rate, optimiser_of  # noqa: E402
from fastdepth_ros.training.recipe import Teacher  # noqa: E402

SAMPLES = [Sample(f"{i}", "rooms" if i else "other", f"{i}.png", True, lambda: None) for i in range(40)]


@pytest.mark.parametrize("name", names())
def test_a_method_says_what_it_is_and_makes_a_recipe(name):
    found = method(name)
    assert found.about.endswith(".")
    assert found.source
    teacher = Teacher("teacher.npz", "0" * 64, ("conv2=conv1",)) if found.loss.asks else None
    choice = Choice(name, network_named("litedepth"), (128, 160), teacher=teacher)
    recipe = recipe_of(found, choice, SAMPLES)
    assert recipe.data.holdout_set == "rooms"
    assert {phase.sides for phase in recipe.phases} == {(128, 160)}
    assert sum(phase.images for phase in recipe.phases) == sum(each.epochs for each in found.stretches) * len(SAMPLES)
    short = recipe_of(found, dataclasses.replace(choice, images=960), SAMPLES)
    assert sum(phase.images for phase in short.phases) == 960
    if teacher:
        with pytest.raises(SettingError, match="asks a teacher"):
            recipe_of(found, dataclasses.replace(choice, teacher=None), SAMPLES)


def test_every_entry_names_a_method_that_is_there():
    named = {name: entry(name).training for name in entries()}
    assert named["litedepth"] == "litedepth"
    assert set(named.values()) - {""} <= set(names())


def test_there_is_no_method_of_another_name():
    with pytest.raises(SettingError, match=r"no method 'litdepth'"):
        method("litdepth")


def test_litedepth_s_rate_falls_along_a_power_of_what_is_left():
    (phase,) = recipe_of(method("litedepth"), Choice("x", network_named("litedepth"), (128, 160)), SAMPLES).phases
    steps = phase.images // phase.batch
    assert learning_rate(phase, steps // 2) == pytest.approx(1e-3 + 3e-3 * 0.5**0.9)
    assert learning_rate(phase, steps) == pytest.approx(1e-3)
    assert learning_rate(phase, 0) < 1e-3, "it rises first"
    parameters = [torch.zeros(3, 3, requires_grad=True)]
    optimiser = optimiser_of(method("litedepth").optimiser, parameters)
    assert isinstance(optimiser, torch.optim.Adam)
    assert optimiser.defaults["eps"] == 1e-3


def test_an_r2_crop_shows_its_share_of_the_picture_and_divides_depth_by_what_it_magnifies():
    across = np.tile(np.linspace(0, 255, 640).astype(np.uint8), (480, 1))
    down = np.tile(np.linspace(0, 255, 480).astype(np.uint8)[:, None], (1, 640))
    camera = Intrinsics(640, 480, 568.9, 569.6, 320.0, 240.0)  # such that the view is the whole picture
    picture = Frame(np.dstack([across, down, down]), np.full((480, 640), 3.0, np.float32), camera)
    plain = Ranges(scale=1.0, rotation=0.0, jitter=0.0)
    whole = random_view(picture, 224, plain, np.random.default_rng(0))
    ranges = dataclasses.replace(plain, crops=(Crop(384, 240),))
    places = set()
    for seed in range(8):
        view = random_view(picture, 224, ranges, np.random.default_rng(seed))
        width, height = (np.ptp(view.pixels[..., channel].astype(int)) for channel in (0, 1))
        assert width == pytest.approx(255 * 384 / 640, abs=3)
        assert height == pytest.approx(255 * 240 / 480, abs=3)
        ratio = whole.depth[50, 50] / view.depth[50, 50]
        assert ratio == pytest.approx(np.sqrt(640 / 384 * 480 / 240), rel=1e-3)
        places.add((view.pixels[..., 0].min(), view.pixels[..., 1].min()))
    assert len(places) > 4
    sizes = {
        np.ptp(
            random_view(
                picture,
                224,
                dataclasses.replace(plain, crops=(Crop(384, 240), Crop(640, 480))),
                np.random.default_rng(seed),
            )
            .pixels[..., 1]
            .astype(int)
        )
        > 200
        for seed in range(12)
    }
    assert sizes == {True, False}
