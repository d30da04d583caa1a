"""Niceness and cores of a process, every thread of it: tried in a process of its own."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")


def run(code: str) -> dict:
    """Run code in a process with three threads of its own, and return what it puts into `out`."""
    frame = """
        import json, os, threading, time
        from fastdepth_ros.power import process
        stop = threading.Event()
        for _ in range(3):
            threading.Thread(target=stop.wait, daemon=True).start()
        out = {}
        cores = sorted(os.sched_getaffinity(0))
    """
    end = "print(json.dumps(out)); stop.set()"
    program = "\n".join(textwrap.dedent(part) for part in (frame, code, end))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_every_thread_gets_the_cores_and_the_niceness():
    out = run("""
        findings = process.set_cores((cores[0],)) + process.set_niceness(7)
        out["told"] = [str(f) for f in findings]
        out["cores"] = [sorted(os.sched_getaffinity(t)) for t in process.threads()]
        out["nice"] = [os.getpriority(os.PRIO_PROCESS, t) for t in process.threads()]
        out["wanted"] = [cores[0]]
    """)
    assert out["told"] == []
    assert len(out["nice"]) >= 4
    assert set(out["nice"]) == {7}
    assert all(cores == out["wanted"] for cores in out["cores"])


def test_a_thread_that_starts_later_gets_them_too():
    out = run("""
        process.set_cores((cores[0],)), process.set_niceness(5)
        seen = []
        t = threading.Thread(target=lambda: seen.append((process.niceness(), sorted(os.sched_getaffinity(0)))))
        t.start(), t.join()
        out["seen"] = seen[0]
        out["wanted"] = [cores[0]]
    """)
    assert out["seen"] == [5, out["wanted"]]


def test_a_thread_that_starts_while_others_are_changed_gets_them_too():
    out = run("""
        # Born of a thread that was not changed yet, after all were listed.
        listed, born = process.threads, []
        def threads():
            found = listed()
            if not born:
                born.append(threading.Thread(target=stop.wait, daemon=True))
                born[0].start()
            return found
        process.threads = threads
        process.set_cores((cores[0],))
        born.clear()
        process.set_niceness(7)
        out["cores"] = [sorted(os.sched_getaffinity(t)) for t in listed()]
        out["nice"] = [os.getpriority(os.PRIO_PROCESS, t) for t in listed()]
        out["wanted"] = [cores[0]]
    """)
    assert len(out["nice"]) >= 6
    assert set(out["nice"]) == {7}
    assert all(cores == out["wanted"] for cores in out["cores"])


def test_a_thread_may_leave_more_to_others_and_one_that_starts_elsewhere_does_not():
    out = run("""
        seen = {}
        def work(name, least):
            process.raise_niceness(least)
            seen[name] = process.niceness()
        for name, least in (("nicer", 6), ("as before", -20)):
            t = threading.Thread(target=work, args=(name, least))
            t.start(), t.join()
        out["seen"], out["here"] = seen, process.niceness()
    """)
    assert out["seen"] == {"nicer": max(6, out["here"]), "as before": out["here"]}


def test_the_highest_niceness_is_the_idle_policy_too_and_goes_with_it():
    out = run("""
        def policies():
            return [os.sched_getscheduler(t) for t in process.threads()]
        out["other"], out["idle"] = os.SCHED_OTHER, os.SCHED_IDLE
        out["before"] = policies()
        seen = []
        t = threading.Thread(target=lambda: (process.raise_niceness(19), seen.append(os.sched_getscheduler(0))))
        t.start(), t.join()
        out["thread"], out["here"] = seen[0], os.sched_getscheduler(0)
        out["told"], out["nicest"] = [str(f) for f in process.set_niceness(19)], policies()
        back = process.may_return_to(3)
        if back:
            process.set_niceness(3)
        out["after"] = policies() if back else out["before"]
    """)
    assert out["told"] == []
    assert out["thread"] == out["idle"]
    assert set(out["nicest"]) == {out["idle"]}
    assert set(out["before"]) == {out["here"]} == set(out["after"]) == {out["other"]}


def test_a_policy_that_somebody_else_chose_stays():
    out = run("""
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        process.set_niceness(19)
        out["policy"], out["batch"] = os.sched_getscheduler(0), os.SCHED_BATCH
    """)
    assert out["policy"] == out["batch"]


def test_whether_a_niceness_can_be_taken_back_is_known_beforehand():
    out = run("""
        expected = process.may_return_to(process.niceness())
        start = process.niceness()
        process.set_niceness(start + 1)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, start)
        except PermissionError:
            pass
        out["expected"], out["found"] = expected, process.niceness() == start
    """)
    assert out["expected"] == out["found"]


def test_all_cores_come_back():
    out = run("""
        process.set_cores((cores[0],))
        process.set_cores(None)
        out["cores"] = [sorted(os.sched_getaffinity(t)) == cores for t in process.threads()]
    """)
    assert all(out["cores"])


def test_cores_that_do_not_exist_are_named_and_the_others_are_used():
    out = run("""
        out["told"] = [str(f) for f in process.set_cores((cores[0], 4000, 4001))]
        out["ok"] = all(sorted(os.sched_getaffinity(t)) == [cores[0]] for t in process.threads())
    """)
    assert out["ok"]
    assert "cores 4000-4001 are not there" in out["told"][0]


def test_only_cores_that_do_not_exist_change_nothing():
    out = run("""
        out["told"] = [str(f) for f in process.set_cores((4000,))]
        out["ok"] = sorted(os.sched_getaffinity(0)) == cores
    """)
    assert out["ok"]
    assert "cores 4000 are not there" in out["told"][0]


def test_a_niceness_that_this_user_may_not_have_is_explained():
    out = run("""
        def refuse(*_): raise PermissionError(1, "Operation not permitted")
        os.setpriority = refuse
        out["told"] = [str(f) for f in process.set_niceness(-5)]
    """)
    assert "may not set niceness -5" in out["told"][0]
    assert "CAP_SYS_NICE" in out["told"][0]
