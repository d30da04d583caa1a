"""Parameters that each of several cameras may have of its own: ``front.mask`` beside ``mask``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rclpy.parameter import Parameter

from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.declared import checked, declare, show
from fastdepth_ros.parameters import TABLE, Parameters, validate
from fastdepth_ros.settings import Value

ROWS = tuple(spec for spec in TABLE.values() if spec.is_of_cameras)

Own = Mapping[str, Mapping[str, Value]]
"""Camera -> parameter -> the value that it has of its own."""

Refuse = Callable[[str, SettingError], None]
"""Is told of a parameter that was given at start and is not allowed."""


class OwnParameters:
    """Own values of cameras. A parameter that a camera has no value of is the plain one's, and changes with it.

    Each is a parameter of the node that shows the value in force, whosever it is. ``ros2 param delete`` gives an own
    value back.

    Args:
        node: that has them.

    Attributes:
        cameras: names of the cameras; none for a node of one camera.
        values: that they have of their own.
        is_declaring: whether rclpy is being told of them: then there is nothing to be judged.
    """

    def __init__(self, node: Any) -> None:
        self.cameras: tuple[str, ...] = ()
        self.values: Own = {}
        self.is_declaring = False
        self._node = node
        self._following: set[str] = set()

    def declare(self, cameras: Sequence[str], plain: Parameters, refuse: Refuse) -> None:
        """Have the parameters of these cameras, and of no others; those that were known stay as they are.

        Args:
            cameras: their names.
            plain: the values of cameras that have none of their own.
            refuse: is told of what was given at start and is not allowed; the plain value holds then.
        """
        self.is_declaring = True
        try:
            for camera in set(self.cameras) - set(cameras):
                for row in ROWS:
                    self._node.undeclare_parameter(f"{camera}.{row.name}")
            values = {camera: self.values[camera] for camera in cameras if camera in self.cameras}
            for camera in cameras:
                if camera not in values:
                    values[camera] = dict(self._declare(camera, plain, refuse))
        finally:
            self.is_declaring = False
        self.cameras, self.values = tuple(cameras), values

    def _declare(self, camera: str, plain: Parameters, refuse: Refuse) -> Iterator[tuple[str, Value]]:
        for row in ROWS:
            spec, value = row.of(camera), getattr(plain, row.name)
            given = declare(self._node, spec.name, None)
            if given is not None:
                try:
                    value = checked(spec, row.name, given)
                    yield row.name, value
                except SettingError as error:
                    refuse(spec.name, error)
            show(self._node, spec, given, value)

    def split(self, name: str) -> tuple[str, str] | None:
        """Camera and parameter that a name stands for; None where it is no name of these."""
        camera, _, parameter = name.partition(".")
        is_own = camera in self.cameras and parameter in TABLE and TABLE[parameter].is_of_cameras
        return (camera, parameter) if is_own else None

    def with_followers(self, changes: Sequence[Parameter], plain: Parameters) -> list[Parameter]:
        """Changes, and those that follow: of cameras that have no own value, and of one that gives its own back.

        Args:
            changes: that somebody wants.
            plain: the plain values before them.
        """
        wanted = {change.name: change.value for change in changes}
        found = []
        self._following = set()
        for change in changes:
            own = self.split(change.name)
            if own is not None and change.value is None:
                self._following.add(change.name)
                found.append(Parameter(change.name, value=wanted.get(own[1], getattr(plain, own[1]))))
            else:
                found.append(change)
        for camera in self.cameras:
            for row in ROWS:
                name = f"{camera}.{row.name}"
                if row.name in wanted and row.name not in self.values[camera] and name not in wanted:
                    self._following.add(name)
                    found.append(Parameter(name, value=wanted[row.name]))
        return found

    def changed(self, changes: Sequence[Parameter]) -> Own:
        """The own values after changes, as :meth:`with_followers` made them."""
        values = {camera: dict(own) for camera, own in self.values.items()}
        for change in changes:
            own = self.split(change.name)
            if own is not None and not self.follows(change.name):
                values[own[0]][own[1]] = change.value
            elif own is not None:
                values[own[0]].pop(own[1], None)
        return values

    def follows(self, name: str) -> bool:
        """Whether :meth:`with_followers` added a change of that name, or made it one."""
        return name in self._following


def each_of(plain: Parameters, cameras: Sequence[str], values: Own) -> dict[str, Parameters]:
    """The parameters of each camera by its name; of the only one, under the empty name, the plain ones.

    Raises:
        SettingError: those of a camera are not allowed together.
    """
    found = {}
    for camera in cameras:
        try:
            found[camera] = validate({**vars(plain), **values.get(camera, {})})
        except SettingError as error:
            raise SettingError(f"{camera}: {error.cause}", error.remedy) from error
    return found or {"": plain}
