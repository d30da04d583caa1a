"""The examination: every probe in turn; one that breaks is a finding, not the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fastdepth_ros.cameras import IMAGE, NONE, parse_cameras
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
        cameras: names of several cameras, by comma; ``{camera}`` in the topics above stands for each of them.
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
    cameras: str = NONE

    def of_each(self) -> Iterator[tuple[str, Question]]:
        """Name of each of several cameras and the question about it; of the only one, under an empty name, itself.

        Raises:
            SettingError: they cannot be names.
        """
        cameras = parse_cameras(self.cameras)
        for camera in cameras:
            image = (self.image or f"/{PLACE}/{IMAGE}").replace(PLACE, camera)
            yield camera, replace(self, image=image, camera_info=self.camera_info.replace(PLACE, camera))
        if not cameras:
            yield "", self


PLACE = "{camera}"
"""Stands in the name of a topic for that of each of several cameras."""


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


def _camera(question: Question) -> Iterator[Finding]:
    if question.seconds <= 0 or ros.missing():
        return
    # Imported here, because it imports ROS.
    from fastdepth_ros.doctor.camera import camera

    for name, asked in question.of_each():
        yield from _named(name, camera(asked.image, asked.camera_info, asked.seconds))


def _anchors(question: Question) -> Iterator[Finding]:
    if question.seconds <= 0 or ros.missing():
        return
    from fastdepth_ros.doctor.anchors import Asked, anchors
    from fastdepth_ros.parameters import extrinsics_of

    for name, each in question.of_each():
        asked = Asked(
            each.image,
            each.camera_info,
            each.seconds,
            each.model,
            each.target,
            extrinsics_of(each.extrinsics),
            each.precision,
            f"{name}/" if name else "",
        )
        yield from _named(name, anchors(asked))


def _named(camera: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings about one of several cameras, by its name."""
    for finding in findings:
        yield replace(finding, about=f"{camera} {finding.about}") if camera else finding
