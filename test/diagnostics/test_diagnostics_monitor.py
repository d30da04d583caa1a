"""Notes of images: none is lost, and they take no room, whoever asks or does not."""

from __future__ import annotations

import threading

from fastdepth_ros.diagnostics.monitor import MOST_NOTES, Monitor


def test_what_nobody_asks_for_is_counted_and_takes_no_room():
    monitor = Monitor(0.0)
    for i in range(50 * MOST_NOTES + 7):
        monitor.received(i / 30, 2)
        monitor.answered(i / 30, 0.01, {"infer": 0.008})
        assert len(monitor._came) < MOST_NOTES
        assert len(monitor._went) < MOST_NOTES
    now = (50 * MOST_NOTES + 6) / 30
    told = monitor.report(now)
    assert (told.received, told.answered) == (2 * (50 * MOST_NOTES + 7), 50 * MOST_NOTES + 7)
    assert told.age is not None
    assert told.age.max == 0.01
    assert abs(told.rate_out - 30) < 1


def test_the_last_image_is_in_the_next_report():
    monitor = Monitor(0.0)
    for number in range(1, 5):
        monitor.received(float(number))
        monitor.answered(float(number), 0.5 * number, {"infer": 0.1 * number})
        told = monitor.report(float(number))
        assert (told.received, told.answered, told.silence) == (number, number, 0.0)
        assert told.age is not None
        assert told.age.max == 0.5 * number
        assert told.stages["infer"].max == 0.1 * number


def test_a_thread_that_asks_takes_nothing_from_one_that_notes():
    monitor, count = Monitor(0.0), 20 * MOST_NOTES

    def note():
        for i in range(count):
            monitor.received(i / 1000)
            monitor.answered(i / 1000, 0.01, {})

    noting = threading.Thread(target=note)
    noting.start()
    while noting.is_alive():
        monitor.report(count / 1000)
        monitor.rate_in(count / 1000)
    noting.join()
    told = monitor.report(count / 1000)
    assert (told.received, told.answered) == (count, count)
