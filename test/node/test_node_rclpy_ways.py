"""The way to use rclpy is chosen by its release."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fastdepth_ros.node.rclpy_ways.choice import choose


def test_the_way_is_chosen_by_the_release_of_rclpy() -> None:
    assert choose({}, "9.1.7")[0].name == "private"
    assert choose({}, "7.1.1")[1] == "fast: rclpy 7.1.1"
    for release in ("3.3.16", "9.2.0", "91.0", ""):
        chosen, words = choose({}, release)
        assert chosen.name == "plain"
        assert words.startswith("plain: rclpy")
    chosen, words = choose({"FASTDEPTH_PLAIN_RCLPY": "1"}, "9.1.2")
    assert (chosen.name, "as FASTDEPTH_PLAIN_RCLPY wants it" in words) == ("plain", True)
    assert choose({"FASTDEPTH_PLAIN_RCLPY": "0"}, "9.1.2")[0].name == "private"


class OlderPublisher:
    """What an rclpy does whose pybind11 makes no string of a bytearray."""

    def __init__(self) -> None:
        self.published = []
        self.handle = self

    def get_subscription_count(self) -> int:
        return len(self.published)

    def publish_raw(self, message: bytes) -> None:
        if not isinstance(message, bytes):
            raise TypeError
        self.published.append(message)


def test_an_rclpy_that_publishes_bytes_alone_is_given_them():
    private = pytest.importorskip("fastdepth_ros.node.rclpy_ways.private", reason="this rclpy is not known")
    older = OlderPublisher()
    publisher = private.PrivatePublisher(older)
    publisher.publish(bytearray(b"serialized"))
    assert (older.published, publisher.count()) == ([b"serialized"], 1)


LOGGED = """
import inspect, rclpy
from rclpy.node import Node
from fastdepth_ros.node.rclpy_ways.choice import choose

rclpy.init(args=[])
logger = choose()[0].logger(Node("writer").get_logger())


def write():
    logger.warning("once")
    logger.debug("not at all")
    logger.error("again")


write()
assert not inspect.modulesbyfile, "all modules' files were looked for"
for _ in range(2):
    logger.info("throttled", throttle_duration_sec=60.0)
rclpy.shutdown()
"""


@pytest.mark.parametrize("plain", ["", "1"], ids=["as it comes", "plain"])
@pytest.mark.usefixtures("domain")
def test_a_line_of_the_log_names_the_function_that_wrote_it(tmp_path, plain):
    script = tmp_path / "writer.py"
    script.write_text(LOGGED if not plain else LOGGED.replace("assert", "pass  #"))
    form = "{severity} {name} {function_name} {line_number} {file_name}: {message}"
    own = {"RCUTILS_CONSOLE_OUTPUT_FORMAT": form, "FASTDEPTH_PLAIN_RCLPY": plain}
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    done = subprocess.run([sys.executable, script], env=environment | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in (done.stdout + done.stderr).splitlines() if "writer" in line] == [
        f"WARN writer write 11 {script}: once",
        f"ERROR writer write 13 {script}: again",
        f"INFO writer <module> 19 {script}: throttled",
    ]
