"""The governor: lowers the rate while the age is over its budget, and raises it again with care."""

import random

import pytest

from fastdepth_ros.power import Governor


class Robot:
    """A machine whose depth is the older the more of it is asked: age = base + rate / capacity."""

    def __init__(
        self, budget: float | None = 0.040, cap: float = 0.0, camera: float = 30.0, several: bool = False
    ) -> None:
        self.now = 0.0
        self.camera = camera
        self.arrival = 0.003
        self.frames = 0
        self.load = 0.0005  # seconds of age for every image a second
        self.waiting = 0.0  # seconds of age that several threads cost by waiting for each other
        self.governor = Governor(budget, cap, several, clock=lambda: self.now)

    @property
    def rate(self) -> float:
        decision = self.governor.decision
        return min(decision.rate or self.camera, self.camera)

    def run(self, seconds: float):
        end = self.now + seconds
        while self.now < end:
            self.now += 1 / self.rate
            self.frames += 1
            if self.governor.ready(self.frames):
                self.frames = 0
                single = self.governor.decision.single
                network = 0.013 if single else 0.010 + self.waiting
                age = self.arrival + network + self.load * self.rate
                self.governor.update(age, self.arrival, self.camera, self.rate)
        return self.governor.decision


def test_an_idle_machine_answers_every_image():
    decision = Robot().run(10)
    assert (decision.rate, decision.lowered, decision.held) == (0.0, False, True)


def test_the_cap_of_the_profile_is_the_most():
    decision = Robot(cap=15).run(10)
    assert (decision.rate, decision.lowered) == (15, False)


def test_a_loaded_machine_answers_fewer_images_and_keeps_the_age():
    robot = Robot()
    robot.run(5)
    robot.load = 0.002  # 13 ms + 30 Hz * 2 ms = 73 ms
    decision = robot.run(5)
    assert decision.lowered
    assert 0.013 + 0.002 * robot.rate <= 0.040
    assert "lowered to" in decision.reason or "raised to" in decision.reason or decision.held


def test_the_first_step_down_takes_about_a_second():
    robot = Robot()
    robot.load = 0.002
    robot.run(0.9)
    assert not robot.governor.decision.lowered
    robot.run(0.3)
    assert robot.governor.decision.lowered


def test_a_clock_that_jumps_back_starts_anew():
    robot = Robot()
    robot.now = 1000.0
    robot.run(10)
    robot.now = 5.0
    robot.load = 0.002
    assert robot.run(3).lowered


def test_when_the_load_is_gone_the_rate_comes_back():
    robot = Robot()
    robot.load = 0.004
    robot.run(20)
    robot.load = 0.0005
    decision = robot.run(120)
    assert (decision.rate, decision.lowered) == (0.0, False)
    assert "back to the full rate" in decision.reason or decision.held


def test_threads_that_wait_for_each_other_become_one_before_the_rate_goes_down():
    robot = Robot(several=True)
    robot.waiting = 0.200
    decision = robot.run(3)
    assert decision.single
    assert (decision.rate, decision.lowered, decision.held) == (0.0, False, True)
    assert "single thread" in decision.reason


def test_all_threads_come_back_when_the_load_is_gone():
    robot = Robot(several=True, budget=0.100)
    robot.waiting = 0.200
    robot.run(30)
    robot.waiting = 0.0
    decision = robot.run(70)
    assert not decision.single
    assert decision.held


def test_a_single_thread_is_not_left_every_few_seconds_while_the_load_is_there():
    robot = Robot(several=True, budget=0.100)
    robot.waiting = 0.200
    robot.load = 0.001  # easy, at 46 ms on a single thread, but not as if there were no load
    robot.run(3)
    tries, single = 0, True
    for _ in range(300):
        robot.run(0.4)
        tries += single and not robot.governor.decision.single
        single = robot.governor.decision.single
    assert tries <= 2


def test_a_single_thread_that_is_no_help_is_given_up():
    robot = Robot(several=True)
    robot.load = 0.004
    decision = robot.run(10)
    assert not decision.single
    assert decision.lowered


def test_after_a_short_load_the_rate_is_back_within_half_a_minute():
    robot = Robot()
    robot.load = 1.0
    robot.run(15)
    assert robot.rate == 1.0
    robot.load = 0.0005
    assert not robot.run(30).lowered


def test_it_does_not_swing_between_two_rates():
    robot = Robot()
    robot.load = 0.002
    robot.run(60)
    changes, last = 0, robot.rate
    for _ in range(120):
        robot.run(1)
        changes += robot.rate != last
        last = robot.rate
    assert changes <= 12  # a try now and then, ever more seldom


def test_it_never_goes_below_its_floor_and_says_so():
    robot = Robot()
    robot.load = 1.0
    decision = robot.run(60)
    assert decision.rate == 1.0
    assert not decision.held
    assert "the least that there is" in decision.reason


def test_images_that_come_in_old_are_not_its_fault():
    robot = Robot()
    robot.arrival = 0.080
    decision = robot.run(10)
    assert (decision.rate, decision.lowered, decision.held) == (0.0, False, False)
    assert decision.late
    assert "80 ms old when they come in" in decision.reason
    robot.arrival = 0.003
    assert not robot.run(10).late


def test_without_a_budget_it_holds_nothing():
    robot = Robot(budget=None)
    robot.load = 1.0
    assert robot.run(10).rate == 0.0


def test_another_profile_starts_anew():
    robot = Robot()
    robot.load = 0.01
    robot.run(10)
    assert robot.governor.decision.lowered
    assert robot.governor.set(0.5, 15, False).rate == 15
    assert not robot.governor.decision.lowered
    robot.run(10)
    assert not robot.governor.set(0.5, 15, False).lowered


def test_few_frames_are_waited_for_but_not_for_ever():
    now = [0.0]
    governor = Governor(0.04, clock=lambda: now[0])
    assert not governor.ready(2)
    assert not governor.ready(100)
    now[0] = 1.0
    assert governor.ready(5)
    assert not governor.ready(4)
    now[0] = 4.0
    assert governor.ready(2)
    assert not governor.ready(0)


def test_a_frame_that_does_not_end_is_a_reason_before_it_is_done():
    now = [0.0]
    governor = Governor(0.15, nice=True, clock=lambda: now[0])
    now[0] = 0.9
    assert not governor.overdue(0.9)  # one late frame is none
    now[0] = 1.1
    assert governor.overdue(1.1)
    assert not governor.overdue(0.4)
    assert governor.update(1.1, 0.0, 15.0, 0.0).insists
    now[0] = 2.0
    assert not governor.overdue(2.0)  # what was decided takes a second to show
    now[0] = 2.2
    assert governor.overdue(2.2)
    slow = Governor(2.0, clock=lambda: now[0])
    now[0] = 6.0
    assert not slow.overdue(3.8)
    assert not Governor(None, clock=lambda: now[0] - 100).overdue(60.0)


@pytest.mark.parametrize("seed", range(5))
def test_under_any_load_the_rate_stays_between_floor_and_camera(seed):
    rng = random.Random(seed)
    robot = Robot(cap=rng.choice([0, 5, 15, 60]))
    for _ in range(40):
        robot.load = rng.choice([0.0002, 0.001, 0.003, 0.05])
        robot.camera = rng.choice([5, 15, 30, 60])
        decision = robot.run(rng.uniform(0.2, 10))
        assert decision.rate == 0 or decision.rate >= 1
        assert decision.reason


def test_a_nice_node_that_is_starved_first_takes_its_full_share_and_gives_it_back_much_later():
    now, governor = [0.0], None
    governor = Governor(0.1, cap=15, nice=True, clock=lambda: now[0])

    def decide(age: float):
        now[0] += 1.0
        return governor.update(age, 0.003, 15, 15)

    assert not decide(0.02).insists
    starved = decide(0.4)
    assert (starved.insists, starved.rate, starved.single) == (True, 15, False)
    assert "full share of the processor" in starved.reason
    for _ in range(10):  # the age is low because of it, and not because the load has gone
        assert decide(0.02).insists
    for _ in range(3):
        last = decide(0.02)
    assert not last.insists
    assert decide(0.4).insists
    for _ in range(20):  # too soon: the next time later
        assert decide(0.02).insists


def test_a_nice_node_that_is_starved_with_its_full_share_answers_fewer_images():
    now = [0.0]
    governor = Governor(0.1, cap=15, nice=True, clock=lambda: now[0])
    for _ in range(4):
        now[0] += 1.0
        decision = governor.update(0.4, 0.003, 15, 15)
    assert decision.insists
    assert decision.lowered
