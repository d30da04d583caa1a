"""Pictures that are not worth answering are told from those of rooms."""

import cv2
import numpy as np
import pytest

from fastdepth_ros.filters.gate import FROZEN, Fault, Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room
from tools.gate_faults import FAULTS


@pytest.fixture(scope="module")
def rooms(atlas):
    """Pictures of the computed room, as the network sees them."""
    renderer = Renderer(build_room(), CAMERA, atlas)
    pictures = [renderer.render(pose_at(t), seed).picture for seed, t in enumerate((0.0, 0.3, 0.6))]
    return [cv2.resize(picture, (224, 224)) for picture in pictures]


def test_rooms_are_worth_answering(rooms):
    assert [Gate().look(Halves(picture), 0.0) for picture in rooms] == [None] * len(rooms)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(rooms, name):
    make, fault = FAULTS[name]
    rng = np.random.default_rng(3)
    assert {Gate().look(Halves(make(picture, rng)), 0.0) for picture in rooms} == {fault}


def test_a_gate_goes_on_after_a_fault(rooms):
    gate, (make, fault) = Gate(), FAULTS["dark"]
    dark = make(rooms[0], np.random.default_rng(0))
    assert [gate.look(Halves(picture), 0.0) for picture in (rooms[0], dark, rooms[1], dark)] == [
        None,
        fault,
        None,
        fault,
    ]


def test_the_same_bits_for_seconds_are_frozen_and_a_changed_bit_is_not(rooms):
    gate, changed = Gate(), rooms[0].copy()
    changed[100:104, 100:104] += 20
    looks = [
        (rooms[0], 0.0),
        (rooms[0], FROZEN - 0.1),
        (rooms[0], FROZEN),
        (changed, FROZEN + 1),
        (changed, FROZEN + 2),
    ]
    assert [gate.look(Halves(picture), now) for picture, now in looks] == [None, None, Fault.FROZEN, None, None]


def test_a_clock_that_jumps_back_freezes_nothing(rooms):
    gate = Gate()
    assert [gate.look(Halves(rooms[0]), now) for now in (1000.0, 1.0, 2.0)] == [None] * 3


@pytest.mark.parametrize("shape", [(32, 32), (64, 96), (448, 448), (224, 320)])
def test_inputs_of_any_size_are_looked_at(shape):
    rng = np.random.default_rng(0)
    assert Gate().look(Halves(rng.integers(0, 255, (*shape, 3), dtype=np.uint8)), 0.0) in (None, Fault.COVERED)
    assert Gate().look(Halves(np.zeros((*shape, 3), np.uint8)), 0.0) is Fault.DARK
