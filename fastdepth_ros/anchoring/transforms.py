"""Places of frames at a time: a buffer of what tf says, bounded, without ROS.

tf's frames are a tree: each has one parent. A transform is looked up along the two ways to the common ancestor, each
step at the time that is asked for: between the two samples beside it, or the nearest within a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from fastdepth_ros.anchoring.frame_history import FrameHistory, Sample
from fastdepth_ros.anchoring.poses import IDENTITY, Pose, angle_between, is_pose
from fastdepth_ros.errors import AnchorError

MOST_FRAMES = 512
"""Frames that are remembered; a tree with more is somebody's error."""

DEEPEST = 64
"""Steps from a frame to the root, at most."""

ANOTHER_CLOCK = 600.0
"""A time that is farther from all samples was stamped by another clock [s]."""

ELSEWHERE, TURNED = 0.01, math.radians(1)
"""Metres and angle [rad] by which two static transforms of one frame may differ."""


class Transforms(Protocol):
    """Whatever knows where frames are."""

    def lookup(self, target: str, source: str, stamp: float) -> Pose:
        """The source frame's pose in the target frame at a time [s].

        Raises:
            AnchorError: it is not known; the cause says why.
        """


class Known:
    """Poses that were measured once: of sources in the camera.

    Args:
        poses: source frame -> its pose in the camera's frame.
    """

    def __init__(self, poses: Mapping[str, Pose]) -> None:
        self._poses = poses

    def lookup(self, target: str, source: str, stamp: float) -> Pose:  # noqa: ARG002
        """See :class:`Transforms`."""
        if target == source:
            return IDENTITY
        if source in self._poses:
            return self._poses[source]
        raise no_transform(target, source, "tf is not heard")


class TransformBuffer:
    """Transforms of /tf and /tf_static.

    Args:
        tolerance: how far from a sample a time may be [s].

    Attributes:
        problems: how often something was wrong with what came, in all.
        problem: what was wrong last; empty where nothing was.
        late: time by which the nearest sample of the last lookup was off the time that was asked for [s].
        doubles: static frame -> how two messages differ about its place; until one is said twice.
    """

    def __init__(self, tolerance: float = 0.5) -> None:
        self.doubles: dict[str, str] = {}
        self.late = 0.0
        self.tolerance = tolerance
        self.problems = 0
        self.problem = ""
        self._frames: dict[str, FrameHistory] = {}
        # Frames on the ways that were asked for; poses of those that do not move, and how often one of these changed
        # before they were found.
        self._changes = 0
        self._asked: set[str] = set()
        self._fixed: dict[tuple[str, str], tuple[int, Pose]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was heard yet."""
        return not self._frames

    def put(
        self,
        parent: str,
        child: str,
        stamp: float,
        translation: tuple[float, float, float],
        quaternion: tuple[float, float, float, float],
        is_static: bool = False,
    ) -> None:
        """Take a transform: the child's pose in its parent. What cannot be one is counted, and left."""
        parent, child = parent.lstrip("/"), child.lstrip("/")
        sample = Sample(stamp, translation, quaternion)
        if not is_pose(translation, quaternion):
            try:
                Pose.of(translation, quaternion)
            except AnchorError as error:
                return self.note(error.cause)
        frame = self._frames.get(child)
        if not parent or not child or parent == child:
            return self.note(f"a frame {child!r} in {parent!r} is none")
        if frame is None and len(self._frames) >= MOST_FRAMES and not self._make_room(child):
            return self.note(f"there are more than {MOST_FRAMES} frames, {child} is left out")
        if frame is not None and frame.parent != parent:
            self.note(f"{child} has two parents, {frame.parent} and {parent}")
        if frame is None or (frame.parent, frame.is_static) != (parent, is_static):
            frame = self._frames[child] = FrameHistory(parent, is_static)
            self._changes += 1
        elif is_static:
            self._hold_against(child, frame.newest, sample)
        jumped = frame.put(sample)
        if is_static:  # after the sample is there: who looks meanwhile finds the old one, and looks again
            self._changes += 1
        if jumped:
            self.note(f"{child} jumped {jumped:.2f} m in {parent}")
        return None

    def put_again(self, parent: str, child: str, sample: Sample) -> bool:
        """Take a transform of a frame that moves and is known, where nothing is wrong with it; else False.

        A robot says thousands of these a second; :meth:`put` takes all others.
        """
        frame = self._frames.get(child)
        if frame is None or frame.is_static or frame.parent != parent or not is_pose(sample[1], sample[2]):
            return False
        jumped = frame.put(sample)
        if jumped:
            self.note(f"{child} jumped {jumped:.2f} m in {parent}")
        return True

    def _make_room(self, child: str) -> bool:
        """Forget what moves and nobody asked for, where a frame comes that somebody asks for and there is no room.

        Else whoever is first to name frames, as many as there may be, would keep out all that come later.
        """
        if child not in self._asked:
            return False
        gone = [name for name, frame in self._frames.items() if name not in self._asked]
        gone = [name for name in gone if not self._frames[name].is_static] or gone
        for name in gone:
            del self._frames[name]
            self.doubles.pop(name, None)
        self._changes += 1
        return bool(gone)

    def _hold_against(self, child: str, before: Sample, after: Sample) -> None:
        """See whether a static frame is said to be where it was said to be before."""
        apart = math.dist(after.translation, before.translation)
        angle = angle_between(before.quaternion, after.quaternion)
        if apart <= ELSEWHERE and angle <= TURNED:
            self.doubles.pop(child, None)
            return
        size = f"{apart:.2f} m and {math.degrees(angle):.0f} degrees"
        self.doubles[child] = f"/tf_static has {child} at two places, {size} apart: the later one holds"

    def note(self, problem: str) -> None:
        """Take down what is wrong with what came."""
        self.problems += 1
        self.problem = problem

    def lookup(self, target: str, source: str, stamp: float) -> Pose:
        """See :class:`Transforms`."""
        self.late = 0.0
        changes = self._changes
        fixed = self._fixed.get((target, source))
        if fixed is not None and fixed[0] == changes:
            return fixed[1]
        asked = target, source
        target, source = target.lstrip("/"), source.lstrip("/")
        if target == source:
            return IDENTITY
        ups, downs = self._way(target, target, source), self._way(source, target, source)
        common = next((name for name in downs if name in ups), None)
        if common is None:
            known = [name for name in (target, source) if name not in self._frames and name not in self._parents()]
            why = f"nobody says where {' and '.join(known)} is" if known else "they are in trees of their own"
            raise no_transform(target, source, why)
        in_source = self._climb(source, common, target, source, stamp)
        pose = self._climb(target, common, target, source, stamp).inverse() @ in_source
        steps = ups[: ups.index(common)] + downs[: downs.index(common)]
        if all(self._frames[name].is_static for name in steps):
            if len(self._fixed) >= MOST_FRAMES:
                self._fixed.clear()
            self._fixed[asked] = changes, pose
        return pose

    def _parents(self) -> set[str]:
        return {frame.parent for frame in self._frames.values()}

    def _way(self, name: str, target: str, source: str) -> list[str]:
        """Frames from one up to its root.

        Raises:
            AnchorError: the way does not end.
        """
        way = [name]
        while (frame := self._frames.get(way[-1])) is not None:
            if frame.parent in way or len(way) > DEEPEST:
                loop = " -> ".join([*way[-4:], frame.parent])
                raise no_transform(target, source, f"tf goes round in a circle: {loop}")
            way.append(frame.parent)
        if len(self._asked) > MOST_FRAMES:
            self._asked.clear()
        self._asked.update(way)
        return way

    def _climb(self, name: str, root: str, target: str, source: str, stamp: float) -> Pose:
        """The pose of a frame in one above it."""
        pose = IDENTITY
        while name != root:
            frame = self._frames[name]
            try:
                pose = frame.at(stamp, self.tolerance) @ pose
                self.late = max(self.late, frame.off(stamp))
            except LookupError as error:
                raise _not_then(target, source, name, float(error.args[0])) from None
            name = frame.parent
        return pose


def no_transform(target: str, source: str, why: str) -> AnchorError:
    """The error of two frames of which nobody knows how they lie."""
    remedy = "Publish it (robot_state_publisher or static_transform_publisher), or set anchor_extrinsics."
    return AnchorError(
        f"no tf between {target or 'a frame without a name'} and {source or 'one without'}: {why}", remedy
    )


def _not_then(target: str, source: str, name: str, late: float) -> AnchorError:
    cause = f"no tf between {target} and {source} at the image's time: the nearest of {name} is"
    if abs(late) > ANOTHER_CLOCK:
        return AnchorError(f"{cause} from another clock", "Synchronise the clocks of the image and of tf.")
    if late > 0:
        return AnchorError(f"{cause} {late:.2f} s older", f"Look whether who publishes {name} still does.")
    return AnchorError(
        f"{cause} {-late:.2f} s newer", "Look at the clocks: stamps of tf and of the image do not match."
    )
