"""The shipped SROS2 policy names what the node says and hears, and nothing else; enforced, where Fast DDS can."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastdepth_ros.demo.graph import graph_environment
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import CompiledModule

sys.path.insert(0, str(Path(__file__).parent))
from keystore import Keystore

POLICY = (Path(__file__).resolve().parents[2] / "config" / "sros2_policy.xml").read_text()
GUEST = """<policy version="0.2.0"><enclaves><enclave path="/guest"><profiles><profile ns="/" node="guest">
  <topics publish="ALLOW">
    <topic>image</topic><topic>camera_info</topic><topic>/rosout</topic><topic>/parameter_events</topic>
  </topics>
  <topics subscribe="ALLOW"><topic>depth/image_rect</topic><topic>/diagnostics</topic></topics>
  <services request="ALLOW"><service>/fastdepth/get_state</service></services>
  <services reply="ALLOW">{}</services>
</profile></profiles></enclave></enclaves></policy>"""
OWN = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters",
    "set_parameters_atomically", "get_type_description",
)  # fmt: skip
AT_TIMES = {"subscribe": {"/image/compressed", "/clock", "/tf", "/tf_static"}, "publish": set(), "reply": set()}
"""Names that the node uses only if a parameter says so."""

PATIENCE = 60.0
NodeStart = Callable[..., Path]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return {**kept, **graph_environment(tmp_path_factory.mktemp("graph"))}


@pytest.fixture(scope="module")
def secured(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which every participant has to have an enclave."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the keys, is not installed")
    keys = Keystore(tmp_path_factory.mktemp("keys") / "keystore")
    keys.add(POLICY)
    keys.add(GUEST.format("".join(f"<service>guest/{name}</service>" for name in OWN)))
    enforced = {**environment, **keys.environment()}
    if "security libraries" in str(ask(enforced, "talk", 0.0, "--enclave", "/guest").get("error")):
        pytest.skip("this Fast DDS was built without security")
    return enforced


@pytest.fixture
def start(tmp_path: Path, bundle: Bundle, module: CompiledModule) -> Iterator[NodeStart]:  # noqa: ARG001  compiled once
    """Starts a node and returns its log once it is active."""
    started: list[subprocess.Popen] = []

    def start_node(environment: dict[str, str], *arguments: str) -> Path:
        log, order = tmp_path / "log", [sys.executable, "-m", "fastdepth_ros.node", "--ros-args"]
        order += ["-p", f"model:={bundle.path}", *arguments]
        with log.open("w") as output:
            started.append(subprocess.Popen(order, env=environment, stdout=output, stderr=subprocess.STDOUT))
        end = time.monotonic() + PATIENCE
        while "answers /image" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            assert started[-1].poll() is None, log.read_text()
            time.sleep(0.2)
        return log

    yield start_node
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def ask(environment: dict[str, str], what: str, seconds: float, *arguments: str) -> dict:
    order = [sys.executable, str(Path(__file__).with_name("guest.py")), what, str(seconds)]
    order += ["--ros-args", *arguments] if arguments else []
    done = subprocess.run(order, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1])


def named() -> dict[str, set[str]]:
    """Names that the policy allows, absolute."""
    found: dict[str, set[str]] = {"publish": set(), "subscribe": set(), "reply": set()}
    for profile in ET.fromstring(POLICY.encode()).iter("profile"):
        for group in (*profile.iter("topics"), *profile.iter("services")):
            ways = [way for way in found if group.get(way) == "ALLOW"]
            for way in ways:
                found[way] |= {"/" + (entry.text or "").strip().lstrip("/") for entry in group}
    return found


def test_the_policy_names_what_the_node_says_and_hears_and_no_more(
    start: NodeStart, environment: dict[str, str]
) -> None:
    start(environment)
    used, policy = ask(environment, "names", PATIENCE), named()
    for way, names in policy.items():
        assert set(used[way]) <= names, way
        assert names - set(used[way]) <= AT_TIMES[way], way


def test_with_security_enforced_the_node_answers_who_may_ask_and_nobody_else(
    start: NodeStart, environment: dict[str, str], secured: dict[str, str]
) -> None:
    log = start(secured, "--enclave", "/fastdepth")
    got = ask(secured, "talk", PATIENCE, "--enclave", "/guest")
    assert got["depth"], (got, log.read_text())
    assert got["diagnostics"]
    assert got["state"] == "active"
    assert ask(environment, "talk", 5.0) == {"depth": 0, "diagnostics": 0, "state": ""}
