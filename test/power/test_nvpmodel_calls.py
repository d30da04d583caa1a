"""Calling nvpmodel: what it answers, and what becomes of a call that goes wrong."""

import time

import pytest
from boards import orin_jetpack6, tx2_jetpack4

from fastdepth_ros.errors import SettingError
from fastdepth_ros.power.nvpmodel import Nvpmodel

PATIENCE = 60.0


def answer_of(tool: Nvpmodel, *arguments: str, now: float = 0.0):
    answer = tool.start(now, *arguments)
    end = time.monotonic() + PATIENCE
    while answer is None and time.monotonic() < end:
        time.sleep(0.005)
        answer = tool.poll(time.monotonic() - end + PATIENCE)
    return answer


@pytest.fixture
def tree(tmp_path):
    return tx2_jetpack4.build(tmp_path, "MAXQ")


def test_the_mode_is_asked_for(tree):
    answer = answer_of(Nvpmodel(tree.nvpmodel), "-q")
    assert (answer.fate, answer.name, answer.id) == ("done", "MAXQ", 1)


def test_a_missing_nvpmodel_is_absent(tmp_path):
    assert answer_of(Nvpmodel([str(tmp_path / "none")]), "-q").fate == "absent"


def test_one_that_hangs_is_ended(tree):
    tree.behave("hang")
    answer = answer_of(Nvpmodel(tree.nvpmodel, patience=0.2), "-m", "0")
    assert answer.fate == "hung"
    assert answer.fault == "did not answer within 0.2 s and was ended"


def test_one_that_asks_for_a_confirmation_gets_none(tree):
    tree.behave("question")
    answer = answer_of(Nvpmodel(tree.nvpmodel), "-m", "0")
    assert answer.fate == "question"
    assert not (tree.root / "replies").exists()


def test_one_that_may_not_is_quoted(tree):
    tree.behave("denied")
    answer = answer_of(Nvpmodel(tree.nvpmodel), "-m", "0")
    assert answer.fate == "failed"
    assert "status 1" in answer.fault
    assert "Permission denied" in answer.fault


def test_one_that_talks_without_end_is_ended(tree):
    tree.behave("flood")
    assert answer_of(Nvpmodel(tree.nvpmodel, patience=0.3), "-q").fate == "hung"


def test_nonsense_names_no_mode(tree):
    tree.behave("garbage")
    answer = answer_of(Nvpmodel(tree.nvpmodel), "-q")
    assert (answer.fate, answer.name) == ("done", None)


@pytest.mark.parametrize(
    "command",
    [[], [""], ["sudo", "nvpmodel"], ["/usr/bin/sudo", "-n", "nvpmodel"], ["sh", "-c", "nvpmodel"], ["pkexec", "x"]],
)
def test_no_command_raises_privileges_or_starts_a_shell(command):
    with pytest.raises(SettingError, match="nvpmodel_command cannot"):
        Nvpmodel(command)


def until(one, done, seconds: float = 60.0):
    """Let rounds pass; while nvpmodel runs, no faster than in real time, for that is what it runs in."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = one.run(0.1)
        if done(state):
            return state
        time.sleep(0.1 if one.monitor._tool.busy else 0.001)
    raise AssertionError(f"not in {seconds} s: {[str(finding) for finding in state.findings]}")


def test_the_mode_is_requested_only_where_the_operator_allowed_it(bench, tree):
    one = bench(tree, "max-n", nvpmodel=tree.nvpmodel)
    until(one, lambda state: state.board.mode_from == "nvpmodel")
    assert "expects mode MAXN, but the board is in MAXQ" in one.told()
    assert set(tree.calls) == {"-q"}


def test_an_allowed_request_is_made_once_and_verified(bench, tree):
    one = bench(tree, "max-n", nvpmodel=tree.nvpmodel, manage_mode=True)
    state = until(one, lambda state: state.board.mode is not None and state.board.mode.name == "MAXN")
    assert state.warnings == ()
    assert tree.calls.count("-m 0") == 1
    tree.set_mode("MAXQ")  # a second node, that asks for another mode
    state = until(one, lambda state: state.board.mode is not None and state.board.mode.name == "MAXQ")
    assert "somebody else changed it" in str(state.warnings[0])
    assert tree.calls.count("-m 0") == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("question", "asks for a confirmation"), ("denied", "Permission denied"), ("hang", "did not answer")],
)
def test_a_request_that_failed_is_told_with_the_command_to_type(bench, tree, behaviour, words):
    one = bench(tree, "max-n", nvpmodel=tree.nvpmodel, manage_mode=True)
    if behaviour == "hang":
        one.monitor._tool.patience = 0.3
    tree.behave(behaviour)
    state = until(one, lambda state: words in "".join(map(str, state.warnings)))
    assert "sudo nvpmodel -m 0" in str(state.warnings[1])
    assert state.board.mode.name == "MAXQ"


def test_nvpmodel_that_contradicts_the_clocks_is_not_believed(bench, tmp_path):
    tree = orin_jetpack6.build(tmp_path, "15W")
    one = bench(tree, "max-q", nvpmodel=tree.nvpmodel)
    until(one, lambda state: state.board.mode_from == "nvpmodel")
    tree.write(f"{orin_jetpack6.CPU}/online", "0-7")
    tree.write(f"{orin_jetpack6.GPU}/max_freq", 408000000)
    for core in range(8):
        tree.write(f"{orin_jetpack6.CPU}/cpu{core}/cpufreq/scaling_max_freq", 1497600)
    until(one, lambda state: state.board.mode is not None and state.board.mode.name == "25W")
    assert "nvpmodel says 15W, but the cores and clocks in force are those of 25W" in one.told()
