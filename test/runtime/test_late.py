"""Functions that anchors need: no first start waits for them, and depth goes on in numpy until they are there."""

import shutil
import threading

import numpy as np
import pytest
from small_network import small_bundle

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.anchoring.layout import NODE, functions
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline
from fastdepth_ros.runtime import cache, late
from fastdepth_ros.runtime.bundle import seal, write_bundle
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.late import LateFunctions, anchors_for, prepare_anchors

CAMERA = Intrinsics(64, 48, 50.0, 50.0, 31.5, 23.5)
CLOSE = 1e-3
"""Share of a depth by which numpy's rounding may be off."""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A bundle that is compiled in a moment, and an empty cache."""
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    return small_bundle(tmp_path)


def kept():
    """Names of what is in the cache, without what tells them apart."""
    folders = (cache.cache_dir() / "modules").iterdir()
    return sorted(folder.name.rpartition("-")[0] for folder in folders if folder.is_dir())


def has_functions(engine):
    rows, columns = engine.input.shape[0] // 2 // NODE, engine.input.shape[1] // 2 // NODE
    name, arguments = functions(rows, columns)["place"]
    arrays = [np.zeros(each.shape, each.dtype) for each in arguments]
    return engine.bind(name, arrays) is not None


def picture(seed):
    return Picture(np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8), "rgb")


def points(seed):
    rng = np.random.default_rng(seed)
    return Anchors(
        "anchors",
        rng.uniform(0, 31, (40, 2)).astype(np.float32),
        rng.uniform(1, 4, 40).astype(np.float32),
        np.full(40, 0.05, np.float32),
    )


def answer(pipeline, number, **arguments):
    frame = pipeline.run(picture(number), CAMERA, now=number / 30, **arguments)
    return frame.depth.copy(), frame.anchoring


def test_a_first_start_compiles_none_of_them(small):
    module = cache.module_for(small)
    assert kept() == ["small-host"]
    assert b"anchor_" not in module.library.read_bytes()
    assert not has_functions(Engine(module, 1))


def test_whoever_compiles_a_model_has_them(small_module):
    assert has_functions(Engine(small_module, 1))


def test_frames_without_anchors_never_ask_for_them(small):
    engine = Engine(cache.module_for(small), 1)
    engine.late = LateFunctions(lambda: anchors_for(small), pytest.fail)
    pipeline = Pipeline(engine, small.manifest)
    for number in range(3):
        assert answer(pipeline, number)[1] is None
    assert kept() == ["small-host"]


def test_they_come_once_a_frame_has_anchors_and_the_answers_stay_the_same(small):
    module, said = cache.module_for(small), []
    engine, released = Engine(module, 1), threading.Event()

    def have():
        released.wait(60)
        return anchors_for(small, say=said.append)

    engine.late = LateFunctions(have, pytest.fail)
    coming, plain = Pipeline(engine, small.manifest), Pipeline(Engine(module, 1), small.manifest)
    compiled = []
    for number in range(8):
        if number == 3:
            assert not said, "somebody waited for the compiler"
            released.set()
            engine.late._thread.join(60)
        both = [answer(each, number, anchors=[points(number)], uncertainty=True) for each in (coming, plain)]
        (found, report), (expected, reference) = both
        np.testing.assert_allclose(found, expected, rtol=CLOSE)
        assert report.scale == pytest.approx(reference.scale, rel=CLOSE)
        compiled.append(report.compiled)
        assert not reference.compiled
    assert compiled == [False] * 4 + [True] * 4, "they are taken up behind a frame"
    assert kept() == ["anchors-host", "small-host"]
    assert len(said) == 1


def test_they_are_compiled_once_for_all_models_of_a_size(small, tmp_path):
    weights = {name: 2 * array for name, array in small.weights().items()}
    other = write_bundle(tmp_path / "other", small.manifest, weights, "# Others\n")
    first = anchors_for(small, say=lambda _: None)
    assert anchors_for(other, say=pytest.fail).folder == first.folder


def test_without_a_compiler_numpy_goes_on(small, monkeypatch):
    engine, said = Engine(cache.module_for(small), 1), []
    monkeypatch.setattr(late, "has_compiler", lambda: False)
    engine.late = LateFunctions(lambda: anchors_for(small), said.append)
    pipeline = Pipeline(engine, small.manifest)
    for number in range(3):
        report = answer(pipeline, number, anchors=[points(number)])[1]
        engine.late._thread.join(60)
        assert not report.compiled
        assert report.sources[0].given == 40
    (words,) = said
    assert "numpy" in words
    assert "compiler is not installed" in words


def test_a_failure_is_told_once():
    def fail():
        raise ModuleError("no room", "Make some.")

    said = []
    functions_of = LateFunctions(fail, said.append)
    for _ in range(3):
        functions_of.ask()
        functions_of._thread.join(60)
    assert functions_of.library is None
    assert len(said) == 1


def test_an_altered_library_is_compiled_again(small):
    folder = anchors_for(small, say=lambda _: None).folder
    good = (folder / "module.so").read_bytes()
    (folder / "module.so").write_bytes(good[:-1])
    said = []
    assert anchors_for(small, say=said.append).library.read_bytes() == good
    assert len(said) == 1


def test_whoever_measures_has_them_before(small):
    prepare_anchors(small, "host", cache.FLOAT32, lambda _: None)
    assert "anchors-host" in kept()


def test_models_that_ship_whole_need_nothing_more(small, small_module):
    shutil.copytree(small_module.folder, small.path / "modules" / "host")
    prepare_anchors(seal(small.path, small.manifest), "host", cache.FLOAT32, pytest.fail)
    assert not (cache.cache_dir() / "modules").exists()
