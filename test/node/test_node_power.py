"""Power in a running node: profiles switched live on made-up boards, and everything that a board can do wrong."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pytest
from boards import orin_jetpack6, tx2_jetpack4, x86_rapl, xavier_jetpack5
from boards.tree import DAMAGE, Tree
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_graph import Graph, image_of
from slowly import again, mostly_slow

from fastdepth_ros.node.power import NodePower
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.power import process

BUILDERS: dict[str, Callable[..., Tree]] = {
    "tx2": tx2_jetpack4.build,
    "xavier": xavier_jetpack5.build,
    "orin": orin_jetpack6.build,
    "x86": x86_rapl.build,
}
JETSONS = ("tx2", "xavier", "orin")
Own = TypeVar("Own", bound="Meanwhile")
TOOK = "profile took hold after [ms]"
RATE = 30.0
MODES = {"tx2": ("MAXN", "MAXQ"), "xavier": ("MAXN", "MODE_15W"), "orin": ("MAXN", "15W"), "linux": ("", "")}
FAST = "{modes}threads: 2, cores: 0-1, cpu: {{age_ms: 1000, watts: 20}}"
THRIFTY = "{modes}threads: 1, cores: 0, niceness: 5, max_rate: 15, cpu: {{age_ms: 1000, watts: 20}}"
GHOST = "{modes}cores: '0,900', cpu: {{age_ms: 1000}}"
HURRIED = (str(Path(__file__).with_name("hurried_node.py")),)

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two cores are needed to take one away")


@pytest.fixture(scope="module")
def power_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in profiles on two cores, which every machine has, and with ages that a busy one can hold."""
    lines = ["profiles:"]
    for name, words, index in (("max-n", FAST, 0), ("max-q", THRIFTY, 1), ("ghost", GHOST, 0)):
        lines.append(f"  {name}:")
        for kind, pair in MODES.items():
            modes = f"modes: [{pair[index]}], " if pair[index] else ""
            lines.append(f"    {kind}: {{{words.format(modes=modes)}}}")
    path = tmp_path_factory.mktemp("profiles") / "power.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def on_board(start, tmp_path, power_file) -> Iterator[Callable[..., tuple[Graph, Tree]]]:
    """Starts a node on a made-up board, and ends it with the test: twenty nodes that report disturb each other."""
    started: list[Graph] = []

    def make(kind: str, profile: str = "max-n", tree: Tree | None = None, **parameters: object) -> tuple[Graph, Tree]:
        tree = tree or BUILDERS[kind](tmp_path)
        started.append(
            start(
                board_root=tmp_path,
                power_file=power_file,
                power_profile=profile,
                diagnostics_period=0.1,
                nvpmodel_command=parameters.pop("nvpmodel_command", str(tmp_path / "none")),
                **parameters,
            )
        )
        return started[-1], tree

    yield make
    for graph in started:
        graph.end()


class Meanwhile:
    """Runs in a thread of its own while a ``with`` statement does."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self: Own) -> Own:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        """Go on until ``_stop`` is set."""
        raise NotImplementedError


class Camera(Meanwhile):
    """Publishes images at a rate, each with a stamp of its own."""

    def __init__(self, graph: Graph, rate: float = RATE) -> None:
        super().__init__()
        self._graph = graph
        self._period = 1 / rate
        self.stamps: list[int] = []
        self._pixels = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            message = image_of(self._pixels, self._graph.header())
            self._graph.images.publish(message)
            self.stamps.append(nanoseconds(message.header.stamp))
            due += self._period
            time.sleep(max(0.0, due - time.monotonic()))


def nanoseconds(stamp) -> int:
    return stamp.sec * 10**9 + stamp.nanosec


def spin(graph: Graph, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        graph.spin()


def answered(graph: Graph) -> list[int]:
    return [nanoseconds(message.header.stamp) for message in graph.heard["depth"]]


def is_warned(graph: Graph, part: str, *words: str) -> bool:
    status = graph.statuses.get(part)
    said = " ".join([status.message, *(pair.value for pair in status.values)]) if status else ""
    return status is not None and status.level == DiagnosticStatus.WARN and all(word in said for word in words)


def number(graph: Graph, part: str, key: str) -> float:
    value = graph.values(part).get(key, "unknown")
    return float("nan") if value == "unknown" else float(value)


def of_threads(graph: Graph, ask: Callable[[int], object]) -> list[object]:
    """What a question about a thread gives for every thread of the node's process."""
    found = []
    for task in Path(f"/proc/{graph.process.pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # one that ended meanwhile
            found.append(ask(int(task.name)))
    return found


def cores(graph: Graph) -> list[set[int]]:
    """The different sets of cores that the node's threads may use."""
    found = of_threads(graph, lambda thread: frozenset(os.sched_getaffinity(thread)))
    return [set(kind) for kind in set(found)]


def nicenesses(graph: Graph) -> set[int]:
    return set(of_threads(graph, lambda thread: os.getpriority(os.PRIO_PROCESS, thread)))


def policies(graph: Graph) -> set[int]:
    return set(of_threads(graph, os.sched_getscheduler))


def contents(tree: Tree) -> dict[Path, int]:
    """When each file of a board was written."""
    files = [path for part in ("sys", "etc") for path in (tree.root / part).rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


class Switched(NamedTuple):
    """What became of the images of a camera at 30 Hz while the profile went from max-n to max-q and back.

    Attributes:
        sent, answered: stamps of the images, and of the depth that came back [ns].
        slow, fast: stamps of the latest image when max-q had taken hold, and when max-n was asked for again.
        skipped: images held back on purpose.
        lost: images that got no answer because others had the processor, as the node says.
    """

    sent: set[int]
    answered: set[int]
    slow: int
    fast: int
    skipped: int
    lost: int

    @property
    def unexplained(self) -> int:
        """Images without an answer that nobody accounts for."""
        return len(self.sent - self.answered) - self.skipped - self.lost

    @property
    def thrifty(self) -> tuple[int, int]:
        """How many images were sent while max-q was in force, and how many of them were answered."""
        between = {stamp for stamp in self.sent if self.slow < stamp <= self.fast}
        return len(between), len(between & self.answered)


def switch(graph: Graph) -> Switched:
    """Switch the profile to max-q and back while images flow; return when each of them is accounted for."""

    def counted(part: str, key: str) -> int:
        return int(graph.values(part).get(key, 0))

    def counts() -> tuple[int, int]:
        replaced = counted("inference", "dropped: replaced by a newer image")
        return counted("inference", "dropped: beyond max_rate"), replaced + counted("input", "lost on the way")

    def taken(profile: str, threads: str) -> bool:
        """One report says all of it, so that nothing of it is of an earlier switch."""
        said = graph.values("budget")
        held = said.get("power_profile") == profile and TOOK in said
        return held and graph.values("inference").get("threads") == threads

    def take_hold(profile: str, threads: str) -> None:
        assert graph.set("power_profile", profile) == (True, "")
        graph.wait_for(lambda: taken(profile, threads), f"{profile} to take hold")

    def answers(number: int) -> None:
        heard = len(graph.heard["depth"])
        graph.wait_for(lambda: len(graph.heard["depth"]) >= heard + number, "depth")

    with Camera(graph) as camera:
        answers(15)
        graph.next_reports(1)
        skipped, lost = counts()
        answers(5)  # so that the report had counted nothing that came after the image with which this begins
        start = nanoseconds(graph.heard["depth"][-1].header.stamp)
        answers(30)
        take_hold("max-q", "1")
        slow = camera.stamps[-1]
        answers(20)
        fast = camera.stamps[-1]
        take_hold("max-n", "2")
        answers(30)
    sent = {stamp for stamp in camera.stamps if stamp > start}

    def run() -> Switched:
        after = counts()
        return Switched(sent, set(answered(graph)), slow, fast, after[0] - skipped, after[1] - lost)

    graph.wait_for(lambda: run().unexplained <= 0, "each image to be answered or accounted for")
    return run()


@pytest.mark.slow
@pytest.mark.parametrize("kind", BUILDERS)
def test_profiles_switch_while_frames_flow_and_no_frame_is_lost(on_board, kind):
    """How soon a profile takes hold is measured by the node, and told in its status; no test can on a busy machine."""
    graph, tree = on_board(kind)
    before = contents(tree)
    graph.read("depth")
    run = switch(graph)
    assert run.skipped > 10, "max-q holds every other image back"
    sent, kept = run.thrifty
    assert kept <= sent / 2 + 2
    assert contents(tree) == before, "nothing is ever written to the board's files"


def test_threads_keep_to_the_profiles_cores_and_niceness(on_board):
    graph, _ = on_board("tx2", "max-q")
    graph.read("depth")
    with Camera(graph):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
        # A user who could not take it back from all threads gives it to those that compute, which are started anew.
        wanted = ([{0}], {5} if process.may_return_to(0) else {0, 5})
        graph.wait_for(lambda: (cores(graph), nicenesses(graph)) == wanted, "cores and niceness of max-q")
        graph.set("power_profile", "max-n")
        graph.wait_for(lambda: (cores(graph), nicenesses(graph)) == ([{0, 1}], {0}), "cores and niceness of max-n")
        assert graph.set("cpu_affinity", "1") == (True, "")
        graph.wait_for(lambda: cores(graph) == [{1}], "the core of the parameter")
        assert graph.set("niceness", 3) == (True, "")
        graph.wait_for(lambda: nicenesses(graph) == {3}, "the niceness of the parameter")
        graph.set("power_profile", "max-q")
        graph.wait_for(lambda: 5 in nicenesses(graph), "the niceness that leaves more to others")
        graph.set("cpu_affinity", "1,900")
        graph.wait_for(lambda: is_warned(graph, "budget", "cores 900 are not there"), "the cores to be missed")
        graph.set("cpu_affinity", "all")
        graph.set("cpu_affinity", "profile")
        graph.set("power_profile", "ghost")
        graph.wait_for(lambda: is_warned(graph, "budget", "cores 900 are not there"), "its cores to be missed")
        assert cores(graph) == [{0}]
        before = len(graph.heard["depth"])
        graph.wait_for(lambda: len(graph.heard["depth"]) > before + 5, "depth")


@pytest.mark.again
def test_threads_have_the_idle_policy_at_the_highest_niceness_and_only_there(on_board):
    graph, _ = on_board("x86")
    graph.read("depth")
    with Camera(graph, 15):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
        assert policies(graph) == {os.SCHED_OTHER}
        assert graph.set("niceness", 19) == (True, "")
        graph.wait_for(lambda: policies(graph) == {os.SCHED_IDLE}, "the idle policy")
        if process.may_return_to(0):
            assert graph.set("niceness", 0) == (True, "")
            graph.wait_for(lambda: policies(graph) == {os.SCHED_OTHER}, "all threads to have their turns again")


@pytest.mark.parametrize("kind", mostly_slow(JETSONS))
def test_the_warning_of_the_real_mode_comes_and_goes_with_the_board(on_board, tmp_path, kind):
    (fast, slow), other = MODES[kind], {"tx2": "MAXP_CORE_ARM", "xavier": "MODE_10W", "orin": "10W"}[kind]
    graph, tree = on_board(kind, "max-q", BUILDERS[kind](tmp_path, other))
    fix = {mode: f"sudo nvpmodel -m {tree.modes[mode][0]}" for mode in (fast, slow)}
    warned = f"expects mode {slow}, but the board is in {other}"
    graph.wait_for(lambda: is_warned(graph, "board", warned, fix[slow]), "the warning")
    tree.set_mode(slow)
    graph.wait_for(lambda: graph.says("board", DiagnosticStatus.OK, f" in {slow}"), "the warning to go")
    graph.set("power_profile", "max-n")
    graph.wait_for(lambda: is_warned(graph, "board", f"expects mode {fast}", fix[fast]), "the other warning")


SHARES = {
    "tx2": {"VDD_IN": 1.0, "VDD_SYS_CPU": 0.25, "VDD_SYS_GPU": 0.2},
    "xavier": {"CPU": 0.399, "GPU": 0.095, "SOC": 0.19, "CV": 0.057, "VDDRQ": 0.114, "SYS5V": 0.095},
    "orin": {"VDD_IN": 1.0, "VDD_CPU_GPU_CV": 0.4},
    "x86": {"package-0": 0.8, "dram-0": 0.2, "core-0": 0.5},
}
"""What part of the board's power each rail draws; of the Xavier's, what whole milliamperes at 19 V can say."""


class Feeder(Meanwhile):
    """Has a made-up board draw power: rails show it, counters run on and over their end."""

    def __init__(self, kind: str, tree: Tree, watts: float) -> None:
        super().__init__()
        self.watts = watts
        self._kind, self._tree = kind, tree

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(0.01):
            now = time.monotonic()
            joules, last = self.watts * (now - last), now
            if self._kind == "x86":
                x86_rapl.draw(self._tree, package=0.8 * joules, dram=0.2 * joules, core=0.5 * joules)
            else:
                board = {"tx2": tx2_jetpack4, "xavier": xavier_jetpack5, "orin": orin_jetpack6}[self._kind]
                board.set_watts(self._tree, **{rail: part * self.watts for rail, part in SHARES[self._kind].items()})


@pytest.mark.parametrize("kind", [again("tx2"), *mostly_slow([*BUILDERS][1:], 0)])
def test_watts_and_millijoules_are_those_of_the_board(on_board, tmp_path, kind):
    # The counters of the made-up processor start again every 1.5 seconds: a window of five has several of that.
    tree = x86_rapl.build(tmp_path, full=12_000_000) if kind == "x86" else BUILDERS[kind](tmp_path)
    whole = sum(SHARES[kind].values()) if kind == "xavier" else 1.0
    noted: dict[str, list[float]] = defaultdict(list)
    with Feeder(kind, tree, 4.0) as board:
        graph, _ = on_board(kind, tree=tree)
        spin(graph, 4.0)
        graph.read("depth")
        with Camera(graph):
            graph.wait_for(lambda: len(graph.heard["depth"]) > 10, "depth")
            board.watts = 10.0
            spin(graph, 6.0)
            for _ in range(15):
                graph.next_reports(1)
                values = graph.values("power")
                for key in ("whole [W]", "idle [W]", *(f"{rail} [W]" for rail in SHARES[kind])):
                    noted[key].append(float(values[key]))
                frames = [stamp for stamp in sorted(set(answered(graph))) if stamp >= graph.reported - 5 * 10**9]
                period = (frames[-1] - frames[0]) / (len(frames) - 1) / 1e9
                noted["energy, told by due"].append(
                    float(values["energy of a frame [mJ]"]) / (10.0 * whole * period * 1e3)
                )
    # A single report may come when this machine did not let the board's thread or the camera's run for a while.
    found = {key: float(np.median(values)) for key, values in noted.items()}
    assert found["whole [W]"] == pytest.approx(10.0 * whole, rel=0.01)
    for rail, share in SHARES[kind].items():
        assert found[f"{rail} [W]"] == pytest.approx(10.0 * share, rel=0.01)
    assert found["idle [W]"] == pytest.approx(4.0 * whole, rel=0.02)
    assert found["energy, told by due"] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("kind", [again("tx2"), *mostly_slow([*BUILDERS][1:], 0)])
def test_every_file_is_missed_by_its_name_and_depth_goes_on(on_board, kind):
    graph, tree = on_board(kind, program=HURRIED)
    graph.read("depth")
    hurts = itertools.cycle([*DAMAGE, b"-500000\n", b"nan\n"])

    def told() -> str:
        statuses = [graph.statuses[part] for part in ("power", "board")]
        return " ".join(pair.value for status in statuses for pair in status.values)

    with Camera(graph, 15):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
        for name, hurt in zip([name for name in tree.names if name not in tree.unread], hurts, strict=False):
            good = (tree.root / name).read_bytes()
            if hurt in (b"-500000\n", b"nan\n") and not good.strip().isdigit():
                hurt = "garbage"
            before = len(graph.heard["depth"])
            tree.damage(name, hurt)
            graph.wait_for(lambda n=name: str(tree.root / n) in told(), f"{name} to be missed ({hurt!r})")
            graph.wait_for(lambda b=before: len(graph.heard["depth"]) > b, "depth")
            tree.mend(name, good)
        graph.wait_for(lambda: str(tree.root) not in told(), "everything to be whole again")


def test_a_rail_without_a_value_and_one_below_zero_are_named_and_the_others_go_on(on_board):
    graph, tree = on_board("tx2")
    rail = tx2_jetpack4.RAILS["VDD_SYS_CPU"]
    tree.pipe(rail)  # one that has a writer who says nothing: the kernel answers EAGAIN
    silent = os.open(tree.root / rail, os.O_RDWR)
    try:
        tree.write(tx2_jetpack4.RAILS["VDD_SYS_GPU"], -300)
        graph.wait_for(lambda: is_warned(graph, "power", "rail VDD_SYS_CPU", "EAGAIN"), "EAGAIN to be told")
        graph.wait_for(
            lambda: is_warned(graph, "power", "rail VDD_SYS_GPU", "-300, which cannot be"), "that below zero"
        )
        assert number(graph, "power", "VDD_IN [W]") == pytest.approx(3.4, rel=0.01)
        graph.read("depth")
        with Camera(graph, 15):
            graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
    finally:
        os.close(silent)


def test_an_unknown_profile_is_refused_with_those_that_there_are(on_board):
    graph, _ = on_board("tx2")
    successful, reason = graph.set("power_profile", "turbo")
    assert not successful
    assert "max-n, max-q" in reason
    assert graph.get("power_profile") == "max-n"


def test_a_node_that_is_started_with_an_unknown_profile_says_so_and_can_be_mended(start):
    graph = start(wait=False, power_profile="turbo")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "turbo", "max-n, max-q"), "the refusal")
    assert graph.set("power_profile", "max-q") == (True, "")
    graph.wait_for(lambda: graph.change("configure") or graph.state == "inactive", "the next try")
    assert graph.change("activate")
    graph.wait_for(lambda: graph.values("budget").get("power_profile") == "max-q", "the profile")


def test_performance_is_plain_numbers(on_board):
    graph, _ = on_board("tx2")
    heard: list[DiagnosticArray] = []
    graph.node.create_subscription(DiagnosticArray, "fastdepth/performance", heard.append, 10)
    graph.read("depth")
    with Camera(graph):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 10 and heard, "figures")
        heard.clear()
        graph.wait_for(lambda: len(heard) > 2, "figures")
    figures = {pair.key: float(pair.value) for pair in heard[-1].status[0].values}
    assert {"age_p50", "age_p95", "rate_in", "rate_out", "infer_p50", "watts", "watts_VDD_IN"} <= set(figures)
    assert 0 < figures["age_p50"] < 1
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize("behaviour", [again("hang"), *mostly_slow(["question", "flood"], 0)])
def test_an_nvpmodel_that_misbehaves_does_not_hold_up_depth(on_board, tmp_path, behaviour):
    graph, tree = on_board(
        "tx2",
        tree=tx2_jetpack4.build(tmp_path, "MAXQ"),
        manage_board_mode=True,
        nvpmodel_command=str(tmp_path / "nvpmodel"),
    )
    graph.wait_for(lambda: graph.says("board", DiagnosticStatus.OK, "MAXN"), "the mode that was asked for")
    tree.behave(behaviour)
    graph.read("depth")
    with Camera(graph, 15):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
        before = len(graph.heard["depth"])
        graph.set("power_profile", "max-q")
        word = {"question": "asks for a confirmation"}.get(behaviour, "did not answer")
        graph.wait_for(lambda: is_warned(graph, "board", word, "sudo nvpmodel -m 1"), "the warning", 15)
        graph.wait_for(lambda: len(graph.heard["depth"]) > before + 5, "depth")
    assert not (tmp_path / "replies").exists()


@pytest.mark.again
def test_a_board_whose_files_vanish_keeps_its_depth(on_board, tmp_path):
    import shutil

    graph, tree = on_board("tx2")
    graph.read("depth")
    with Camera(graph, 15):
        graph.wait_for(lambda: len(graph.heard["depth"]) > 5, "depth")
        graph.wait_for(lambda: "VDD_IN [W]" in graph.values("power"), "watts")
        tree.write(tx2_jetpack4.RAILS["VDD_IN"], "garbage")
        graph.wait_for(lambda: is_warned(graph, "power", "rail VDD_IN", "'garbage' where a number belongs"), "VDD_IN")
        shutil.rmtree(tmp_path / "sys")
        graph.wait_for(lambda: is_warned(graph, "power", "rail VDD_IN", "is missing"), "the rail to be missed")
        graph.wait_for(lambda: is_warned(graph, "board", "online is missing"), "the board to be missed")
        before = len(graph.heard["depth"])
        graph.wait_for(lambda: len(graph.heard["depth"]) > before + 5, "depth")


@pytest.mark.again
def test_two_nodes_that_want_different_modes_are_told_of_each_other(on_board, start, tmp_path, power_file):
    command = str(tmp_path / "nvpmodel")
    one, tree = on_board("tx2", manage_board_mode=True, nvpmodel_command=command)
    one.wait_for(lambda: one.says("board", DiagnosticStatus.OK, "MAXN"), "the first to get its mode")
    other = start(
        board_root=tmp_path,
        power_file=power_file,
        power_profile="max-q",
        manage_board_mode=True,
        nvpmodel_command=command,
    )
    other.wait_for(lambda: other.says("board", DiagnosticStatus.OK, "MAXQ"), "the second to get its mode")
    one.wait_for(lambda: is_warned(one, "board", "somebody else changed it", "give all nodes"), "the first to say so")
    assert [call for call in tree.calls if call.startswith("-m")] == ["-m 0", "-m 1"]


def test_a_frame_that_does_not_end_is_decided_on_once(tmp_path):
    """A starved worker publishes nothing that could be judged but how long it has been at its frame."""
    file = tmp_path / "power.yaml"
    file.write_text("profiles: {two: {linux: {threads: 2, cpu: {age_ms: 100}}}}")
    power = NodePower(Parameters(board_root=str(tmp_path), power_file=str(file), power_profile="two"), lambda: 100.0)
    try:
        stuck = time.perf_counter() - 5.0
        assert not power.judge(100.5, stuck)
        assert not power.judge(101.5, time.perf_counter() - 0.5)
        assert not power.judge(101.5, None)
        assert power.judge(101.6, stuck)
        assert power.decision.single
        assert "budget 100 ms: on a single thread" in power.decision.reason
        assert not power.judge(103.0, stuck)
        assert power.judge(103.0, stuck + 1)
        assert power.decision.lowered
    finally:
        power.close()
