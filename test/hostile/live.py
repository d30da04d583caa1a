"""Strangers of a node that runs in a process of its own: raw messages, parameters and transitions, over DDS.

It has to outlive them all, answer its services between them, and a good image at their end.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from fastdepth_ros import children
from hostile import CHECKOUT, mutate
from hostile.keep import keep

RATE = 60.0
"""Cases a second: the node shares the machine with the other workers."""

ROUND = 40
"""Cases between two looks at the node's health."""

LIVES = 5
"""Nodes that may die before it is enough."""

PATIENCE = 180.0
"""Time that the node may take to answer a service [s]: it answers none while it has a model compiled."""

TYPES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 127, 128, 255)
"""Types of rcl_interfaces/ParameterValue; 10 and above mean nothing."""


class DeadError(AssertionError):
    """The node ended, or does not answer any more."""


def start_node(folder: Path) -> subprocess.Popen[bytes]:
    """A node in the environment of this process; its log is ``folder/log``."""
    order = [
        sys.executable,
        "-m",
        "fastdepth_ros.node",
        "--ros-args",
        "-r",
        "__ns:=/live",
        "-p",
        "diagnostics_period:=0.5",
        "-p",
        "threads:=1",
    ]
    return subprocess.Popen(order, stdout=(folder / "node.log").open("wb"), stderr=subprocess.STDOUT, cwd=CHECKOUT)


class Stranger:
    """Publishers and clients beside the node."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        import rclpy
        from lifecycle_msgs.srv import ChangeState, GetState
        from rcl_interfaces.srv import (
            DescribeParameters,
            GetParameters,
            ListParameters,
            SetParameters,
            SetParametersAtomically,
        )
        from rclpy.executors import SingleThreadedExecutor
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, LaserScan, PointCloud2, Range

        rclpy.init(args=[])
        self.process = process
        self.node = rclpy.create_node("stranger", namespace="/live")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        kinds = {
            "image": Image, "image/compressed": CompressedImage, "camera_info": CameraInfo, "anchors": PointCloud2,
            "scan": LaserScan, "range": Range, "imu": Imu, "anchor_depth": Image,
            "anchor_depth/camera_info": CameraInfo,
        }  # fmt: skip
        self.publishers = {name: self.node.create_publisher(kind, name, 5) for name, kind in kinds.items()}
        services = {
            "change_state": ChangeState, "get_state": GetState, "set_parameters": SetParameters,
            "get_parameters": GetParameters,
            "set_parameters_atomically": SetParametersAtomically, "describe_parameters": DescribeParameters,
            "list_parameters": ListParameters,
        }  # fmt: skip
        self.clients = {name: self.node.create_client(kind, f"fastdepth/{name}") for name, kind in services.items()}
        self.answers = 0
        self.node.create_subscription(Image, "depth/image_rect", self._on_depth, 5)

    def _on_depth(self, _: Any) -> None:
        self.answers += 1

    def wait(self, condition: Any, what: str, patience: float = PATIENCE) -> None:
        """Spin until a condition holds.

        Raises:
            DeadError: it does not in time, or the node has ended.
        """
        until = time.monotonic() + patience
        while not condition():
            if self.process.poll() is not None:
                raise DeadError(f"the node ended with status {self.process.returncode}")
            if time.monotonic() > until:
                raise DeadError(f"waited {patience:g} s for {what}")
            self._executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def call(self, service: str, request: Any, patience: float = PATIENCE) -> Any:
        """The answer of a service; asked again once, because discovery may lose the first."""
        client = self.clients[service]
        self.wait(client.service_is_ready, f"the service {service}")
        for last in (False, True):
            future = client.call_async(request)
            try:
                self.wait(future.done, f"an answer of {service}", patience)
            except DeadError:
                client.remove_pending_request(future)
                if last or self.process.poll() is not None:
                    raise
            else:
                return future.result()
        return None


def make(rng: Random) -> tuple[str, bytes]:
    """A case: where it goes, and its bytes (of a service: JSON)."""
    from hostile.seeds import anchors, camera_infos, images

    kind = rng.random()
    if kind < 0.6:
        makers = {"image": images.image, "image/compressed": images.compressed, "camera_info": camera_infos.make}
        if rng.random() < 0.3:
            makers = {**anchors.MAKERS, "anchor_depth/camera_info": camera_infos.make}
        topic = rng.choice(tuple(makers))
        data = makers[topic](rng)
        return topic, data if len(data) < 200_000 else data[:1000]
    if kind < 0.85:
        from hostile.targets.settings import _make_parameters

        values = [
            [name, value, rng.choice(TYPES) if rng.random() < 0.3 else None]
            for name, value in json.loads(_make_parameters(rng)).items()
        ]
        return rng.choice(("set_parameters", "set_parameters_atomically")), json.dumps(values).encode()
    if kind < 0.93:
        names = [rng.choice(mutate.TEXTS) if rng.random() < 0.5 else "model" for _ in range(rng.randrange(4))]
        return rng.choice(("get_parameters", "describe_parameters", "list_parameters")), json.dumps(names).encode()
    return "change_state", json.dumps(rng.choice((1, 2, 3, 4, 0, 8, 9, 10, 11, 50, 60, 62, 97, 255))).encode()


def request_of(stranger: Stranger, service: str, data: bytes) -> Any:
    """The request that a case means."""
    from lifecycle_msgs.msg import Transition
    from rcl_interfaces.msg import Parameter

    said = json.loads(data)
    request = stranger.clients[service].srv_type.Request()
    if service == "change_state":
        # Never a shutdown that is allowed: it is for good.
        request.transition = Transition(id=said)
    elif service.startswith("set_"):
        request.parameters = [Parameter(name=_clean(name), value=_value(value, kind)) for name, value, kind in said]
    elif service == "list_parameters":
        request.prefixes, request.depth = [_clean(name) for name in said], len(said) * 2**62
    else:
        request.names = [_clean(name) for name in said]
    return request


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _value(value: Any, kind: int | None) -> Any:
    """A ParameterValue that holds a value, under a type that may be another's."""
    from rcl_interfaces.msg import ParameterValue

    found = ParameterValue()
    for code, field, fits in (
        (1, "bool_value", bool),
        (2, "integer_value", int),
        (3, "double_value", float),
        (4, "string_value", str),
    ):
        if type(value) is fits and not (fits is int and not -(2**63) <= value < 2**63):
            setattr(found, field, _clean(value) if fits is str else value)
            found.type = code
    if isinstance(value, list):
        found.type = 9
        found.string_array_value = [_clean(str(each)) for each in value]
    if kind is not None:
        found.type = kind
    return found


def play(stranger: Stranger, rng: Random, until: float, counts: Counter[str], folder: Path) -> None:
    """Send cases until a time [s, monotonic], and look after the node between them."""
    round_: list[bytes] = []
    try:
        while time.monotonic() < until:
            round_ = []
            for _ in range(ROUND):
                where, data = make(rng)
                round_ += [where.encode(), data]
                _send(stranger, where, data, counts)
                stranger.spin(1 / RATE)
            _look(stranger, counts)
    except DeadError as error:
        path = keep(folder, "live", "crash", str(error), mutate.pack(*round_))
        raise DeadError(f"{error}; the last cases are in {path}") from error


def _send(stranger: Stranger, where: str, data: bytes, counts: Counter[str]) -> None:
    counts["topics" if where in stranger.publishers else where] += 1
    if where in stranger.publishers:
        stranger.publishers[where].publish(data)
        return
    client = stranger.clients[where]
    if where == "change_state" and json.loads(data) in (6, 7):
        return
    # Nobody waits for these answers: some have none.
    future = client.call_async(request_of(stranger, where, data))
    future.add_done_callback(lambda _: counts.update(answers=1))


def _look(stranger: Stranger, counts: Counter[str]) -> None:
    """The node says which state it is in, and answers a good image once it was made active again."""
    from lifecycle_msgs.srv import ChangeState, GetState

    state = stranger.call("get_state", GetState.Request()).current_state.label
    counts[f"found {state}"] += 1
    for wanted, transition in (("unconfigured", 1), ("inactive", 3)):
        if state == wanted and counts[f"found {state}"] % 3 == 0:
            request = ChangeState.Request()
            request.transition.id = transition
            stranger.call("change_state", request)


def settle(stranger: Stranger) -> None:
    """Bring the node back to what it started as, and see it answer.

    Raises:
        DeadError: it does not.
    """
    from lifecycle_msgs.srv import ChangeState, GetState

    from fastdepth_ros.parameters import TABLE, Change
    from hostile.seeds import images

    # What stood in between may refuse one of them: in the second round it stands no more.
    own = {"precision": "float32", "threads": 1}
    changed = [spec for spec in TABLE.values() if spec.change is not Change.START]
    defaults = [[spec.name, own.get(spec.name, spec.default), None] for spec in changed] * 2
    for transition in (4, 2, 0, 1, 3):  # deactivate, clean up, set, configure, activate
        if transition == 0:
            for each in defaults:
                stranger.call("set_parameters", request_of(stranger, "set_parameters", json.dumps([each]).encode()))
            continue
        request = ChangeState.Request()
        request.transition.id = transition
        stranger.call("change_state", request, 60.0)
    state = stranger.call("get_state", GetState.Request()).current_state.label
    if state != "active":
        raise DeadError(f"the node is {state} and cannot be made active")
    before = stranger.answers

    def answered() -> bool:
        stranger.publishers["image"].publish(images.good_image())
        stranger.spin(0.05)
        return stranger.answers > before

    stranger.wait(answered, "depth of a good image")


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser("live", description=__doc__)
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", default="0")
    given = options.parse_args(arguments)
    from fastdepth_ros.demo.graph import enter_graph

    given.folder.mkdir(parents=True, exist_ok=True)
    enter_graph(given.folder)
    children.end_with_parent(signal.SIGTERM)
    stranger = Stranger(start_node(given.folder))
    try:
        return _meet(stranger, given)
    finally:
        _end(stranger.process)


def _meet(stranger: Stranger, given: argparse.Namespace) -> int:
    """Send cases for so long, to one node after the other where they die, and say how it went."""
    counts, died = Counter[str](), []
    until, rng = time.monotonic() + 60 * given.minutes, Random(f"live-{given.seed}")
    while time.monotonic() < until and len(died) < LIVES:
        try:
            play(stranger, rng, until, counts, given.out)
            settle(stranger)
        except DeadError as error:
            died.append(str(error))
            log = (given.folder / "node.log").read_text(errors="replace")
            sys.stderr.write(f"live: {error}\n{log[-1500:]}\n")
            stranger.process.kill()
            stranger.process.wait()
            if time.monotonic() < until:
                stranger.process = start_node(given.folder)
    status = _end(stranger.process) if not died or stranger.process.poll() is None else 0
    said = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    sys.stdout.write(f"A node in a process of its own was sent {said}.")
    sys.stdout.write(f" It died {len(died)} times, and ended with status {status}.\n")
    sys.stdout.write("".join(f"- live: {each}\n" for each in died))
    return 1 if died or status else 0


def _end(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
