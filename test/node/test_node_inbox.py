"""Whoever waits at an inbox gets what comes, and wakes up when something changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from threading import Event, Thread

import pytest
from robot import BOTH_WAYS, PATIENCE, Robot
from std_msgs.msg import String

from fastdepth_ros.node.rclpy_ways.interface import Inbox, Subscriber
from fastdepth_ros.node.turns import Turns

pytestmark = pytest.mark.parametrize("way", BOTH_WAYS, indirect=True)


class Texts:
    """A source of texts: of the first subscriber they are items, of the others they are only heard, or made ready."""

    def __init__(self, *subscribers: Subscriber, besides: Sequence[Subscriber] = ()) -> None:
        self.subscribers = list(subscribers)
        self.waited = self.subscribers[:1]
        self.besides = besides
        self.ready: list[str] = []
        self.heard: list[str] = []
        self.looks = 0
        self.leaves = 0
        self.is_behind = False
        self.done: list[str] = []

    def prepare(self) -> None:
        if self.is_behind:
            self.is_behind = False
            self.done.append("left over")
        self.ready += [message.data for each in self.besides for message, _ in each.take()]

    def take(self, waited_since: int) -> str | None:  # noqa: ARG002
        self.looks += 1
        first, *others = ([message.data for message, _ in each.take()] for each in self.subscribers)
        self.heard += chain.from_iterable(others)
        self.is_behind = self.is_behind or (bool(first) and self.leaves > 0)
        self.done += first[-1:]
        return first[-1] if first else None


class Reader:
    """Reads an inbox in a thread."""

    def __init__(self, robot: Robot) -> None:
        self.inbox: Inbox[str] = robot.way.inbox(robot.context)
        self.found: list[str] = []
        self.wanted = True
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for item in self.inbox.items(lambda: self.wanted):
            self.found.append(item)

    def ends(self) -> bool:
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


@pytest.fixture
def reader(robot: Robot) -> Iterator[Reader]:
    reader = Reader(robot)
    yield reader
    reader.inbox.close()
    assert reader.ends()


@pytest.fixture
def camera(robot: Robot) -> Callable[[], Subscriber]:
    return lambda: robot.subscriber(String, "camera", raw=False)


def test_messages_are_items_one_after_the_other(robot, reader, camera):
    images = camera()
    publisher = robot.publisher(images.subscription)
    reader.inbox.open(Texts(images))
    for count in range(20):
        publisher.publish(String(data=str(count)))
        robot.wait_for(lambda count=count: len(reader.found) == count + 1)
    assert reader.found == [str(count) for count in range(20)]


def test_what_comes_with_the_images_wakes_nobody_and_is_taken_when_they_come_or_somebody_asks(robot, reader, camera):
    images, infos = camera(), robot.subscriber(String, "info", 10, raw=False)
    image, info = robot.publisher(images.subscription), robot.publisher(infos.subscription)
    source = Texts(images, infos)
    reader.inbox.open(source)
    # Whoever waits may look when his inbox is opened, and on a busy machine late: let that be behind.
    robot.wait_for(lambda: source.looks, each=reader.inbox.look_up)
    robot.spin(0.1)
    robot.deliver(infos, info, *(String(data=f"info {count}") for count in range(3)))
    robot.spin(0.1)
    assert not source.heard
    image.publish(String(data="image"))
    robot.wait_for(lambda: reader.found)
    assert source.heard == ["info 0", "info 1", "info 2"]
    robot.deliver(infos, info, String(data="info 3"))
    reader.inbox.look_up()
    robot.wait_for(lambda: source.heard[-1] == "info 3")
    assert reader.found == ["image"]


def test_what_takes_long_to_read_is_made_ready_between_images(robot, reader, camera):
    images, points = camera(), robot.subscriber(String, "points", raw=False)
    image, point = robot.publisher(images.subscription), robot.publisher(points.subscription)
    source = Texts(images, besides=[points])
    reader.inbox.open(source)
    for count in range(3):
        point.publish(String(data=f"points {count}"))
        robot.wait_for(lambda count=count: len(source.ready) > count)
        assert len(reader.found) == count
        image.publish(String(data="image"))
        robot.wait_for(lambda count=count: len(reader.found) > count)
    assert source.ready == ["points 0", "points 1", "points 2"]


def test_what_comes_often_does_not_wake_whoever_waits_for_images_once_it_was_not_taken(robot, reader, camera):
    images, points = camera(), robot.subscriber(String, "points", raw=False)
    image, point = robot.publisher(images.subscription), robot.publisher(points.subscription)
    source = Texts(images, besides=[points])
    source.prepare = lambda: source.ready.append("asked")  # takes nothing
    reader.inbox.open(source)
    robot.deliver(points, point, String(data="stays"))
    robot.wait_for(lambda: source.ready)
    robot.spin(0.1)
    assert len(source.ready) < 5, "it does not spin"
    image.publish(String(data="image"))
    robot.wait_for(lambda: reader.found)


def test_what_an_item_leaves_over_is_done_a_moment_later_without_any_message(robot, reader, camera):
    images, points = camera(), robot.subscriber(String, "points", raw=False)
    image, point = robot.publisher(images.subscription), robot.publisher(points.subscription)
    source = Texts(images, besides=[points])
    source.leaves = 1
    reader.inbox.open(source)
    for count in range(3):
        image.publish(String(data=str(count)))
        robot.wait_for(lambda count=count: len(source.done) == 2 * count + 2)
    assert source.done == ["0", "left over", "1", "left over", "2", "left over"]
    point.publish(String(data="points"))
    robot.wait_for(lambda: source.ready == ["points"])
    robot.spin(0.1)
    looks = source.looks
    robot.spin(0.1)
    assert source.looks == looks, "it waits for good once nothing is left over"


def test_an_item_that_waits_comes_before_what_the_last_one_left_over(robot, reader, camera):
    images = camera()
    publisher = robot.publisher(images.subscription)
    source = Texts(images)
    source.leaves = 1
    taken, busy = Event(), Event()
    take = source.take

    def take_slowly(since: int) -> str | None:
        text = take(since)
        if text == "first":
            taken.set()
            busy.wait(PATIENCE)
        return text

    source.take = take_slowly
    reader.inbox.open(source)
    publisher.publish(String(data="first"))
    robot.wait_for(taken.is_set)
    robot.deliver(images, publisher, String(data="second"))
    busy.set()
    robot.wait_for(lambda: len(source.done) == 3)
    assert source.done == ["first", "second", "left over"]


def test_others_beside_the_images_are_heard_once_it_is_opened_again(robot, reader, camera):
    images, points = camera(), robot.subscriber(String, "points", raw=False)
    image, point = robot.publisher(images.subscription), robot.publisher(points.subscription)
    source = Texts(images)
    reader.inbox.open(source)
    source.besides = [points]
    reader.inbox.open(source)
    point.publish(String(data="points"))
    robot.wait_for(lambda: source.ready == ["points"])
    points.destroy()
    source.besides = []
    reader.inbox.open(source)
    image.publish(String(data="image"))
    robot.wait_for(lambda: reader.found == ["image"])


def test_what_is_waited_for_may_be_destroyed_and_made_anew(robot, reader, camera):
    for count in range(3):
        images = camera()
        publisher = robot.publisher(images.subscription)
        reader.inbox.open(Texts(images))
        publisher.publish(String(data=f"{count}"))
        robot.wait_for(lambda count=count: f"{count}" in reader.found)
        reader.inbox.open(None)
        images.destroy()
        publisher.publish(String(data="nobody listens"))
        robot.spin(0.1)
        robot.wait_for(lambda publisher=publisher: publisher.get_subscription_count() == 0)
    assert reader.found == ["0", "1", "2"]


def test_a_reader_that_is_not_wanted_any_more_leaves_the_rest_to_the_next(robot, reader, camera):
    images = camera()
    publisher = robot.publisher(images.subscription)
    reader.inbox.open(Texts(images))
    robot.spin(0.1)
    reader.wanted = False
    reader.inbox.look_up()
    assert reader.ends()
    publisher.publish(String(data="waits"))
    robot.spin(0.2)
    heir: list[str] = []
    for item in reader.inbox.items():
        heir.append(item)
        reader.inbox.close()
    assert (reader.found, heir) == ([], ["waits"])


def test_mail_that_nobody_took_yet_can_be_seen(robot, reader, camera):
    images = camera()
    publisher = robot.publisher(images.subscription)
    slow = robot.way.inbox(robot.context)
    slow.open(Texts(images))
    assert not slow.unread()
    publisher.publish(String(data="waits"))
    robot.wait_for(lambda: slow.unread() == [images])
    reader.inbox.open(Texts(images))
    robot.wait_for(lambda: reader.found == ["waits"])
    assert not reader.inbox.unread()  # asked while the reader waits for the same
    publisher.publish(String(data="is taken"))
    robot.wait_for(lambda: reader.found == ["waits", "is taken"])


def test_several_subscribers_are_waited_for_at_once(robot, reader):
    cameras = [robot.subscriber(String, f"camera_{number}", raw=False) for number in range(3)]
    publishers = [robot.publisher(each.subscription) for each in cameras]
    reader.inbox.open(Turns([Texts(each) for each in cameras]))
    for number in (2, 0, 1, 1):
        before = len(reader.found)
        publishers[number].publish(String(data=f"of {number}"))
        robot.wait_for(lambda before=before: len(reader.found) > before)
        assert reader.found[-1] == (number, f"of {number}")


def test_images_that_wait_at_several_cameras_are_all_taken_and_it_can_be_seen_which_wait(robot, reader):
    cameras = [robot.subscriber(String, f"camera_{number}", raw=False) for number in range(3)]
    publishers = [robot.publisher(each.subscription) for each in cameras]
    slow = robot.way.inbox(robot.context)
    slow.open(Turns([Texts(each) for each in cameras]))
    for number in (0, 2):
        publishers[number].publish(String(data=f"of {number}"))
    robot.wait_for(lambda: slow.unread() == [cameras[0], cameras[2]])
    reader.inbox.open(Turns([Texts(each) for each in cameras]))
    robot.wait_for(lambda: len(reader.found) == 2)
    assert reader.found == [(0, "of 0"), (2, "of 2")]


def test_it_can_be_closed_after_its_context_ended(robot, reader, camera):
    reader.inbox.open(Texts(camera()))
    robot.spin(0.1)
    robot.end()
    reader.inbox.close()
    assert reader.ends()
