"""The examination: every probe in turn; one that breaks is a finding, not the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastdepth_ros.doctor import board, machine, model, packages, ros
from fastdepth_ros.doctor.check import fail, failed
from fastdepth_ros.errors import FastDepthError, Finding
from fastdepth_ros.models import DEFAULT
from fastdepth_ros.runtime.precision import AUTO


@dataclass(frozen=True)
class Question:
    """Things to look at.

    Attributes:
        model: name or folder of the bundle.
        target: what its module is compiled for.
        image, camera_info: the camera's topics; empty where any will do.
        seconds: how long to listen to the camera; 0 does not listen.
        extrinsics: where sensors of measured depths are, as the parameter anchor_extrinsics says it.
        profile: the power profile to hold the board against.
        root: where ``sys``, ``proc`` and ``etc`` are.
        precision: of the module.
    """

    model: str = DEFAULT
    target: str = "host"
    image: str = ""
    camera_info: str = ""
    seconds: float = 3.0
    profile: str = "max-n"
    root: Path = Path("/")
    extrinsics: str = "none"
    precision: str = AUTO


def examine(question: Question) -> Iterator[Finding]:
    """Look at everything, and tell what was seen as soon as it was seen."""
    probes: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("operating system", lambda: machine.operating_system(question.root)),
        ("Python", machine.python),
        ("processor", machine.cpu),
        ("memory", lambda: machine.memory(question.root)),
        ("packages", packages.packages),
        ("TVM runtime", packages.tvm_runtime),
        ("model", lambda: model.bundle_and_module(question.model, question.target, question.precision)),
        ("GPU", lambda: board.gpu(question.root, question.target)),
        ("board", lambda: board.power(question.root, question.profile)),
        ("ROS", ros.distribution),
        ("DDS", ros.middleware),
        ("shared memory", ros.shared_memory),
        ("camera", lambda: _camera(question)),
        ("anchors", lambda: _anchors(question)),
    ]
    for name, probe in probes:
        try:
            yield from probe()
        except FastDepthError as error:
            yield failed(name, error)
        except Exception as error:
            yield fail(name, f"this check broke: {error!r}", "Please report this.")


def _camera(question: Question) -> Iterable[Finding]:
    if question.seconds <= 0 or ros.missing():
        return []
    # Imported here, because it imports ROS.
    from fastdepth_ros.doctor.camera import camera

    return camera(question.image, question.camera_info, question.seconds)


def _anchors(question: Question) -> Iterable[Finding]:
    if question.seconds <= 0 or ros.missing():
        return []
    from fastdepth_ros.doctor.anchors import Asked, anchors
    from fastdepth_ros.parameters import extrinsics_of

    return anchors(
        Asked(
            question.image,
            question.camera_info,
            question.seconds,
            question.model,
            question.target,
            extrinsics_of(question.extrinsics),
            question.precision,
        )
    )
