import threading

from c2kit.links.inbox import ARRIVAL_BYTES, Inbox
from c2kit.links.values import Arrival


def arrival(data: bytes) -> Arrival:
    return Arrival(1, data, 0)


def test_it_gives_all_in_order_and_once() -> None:
    inbox = Inbox(10_000)
    for data in (b"a", b"b", b"c"):
        assert inbox.put(arrival(data))
    assert [each.data for each in inbox.take()] == [b"a", b"b", b"c"]
    assert inbox.take() == []


def test_it_says_when_it_is_full_and_asks_for_more_once_there_is_room() -> None:
    asked: list[None] = []
    inbox = Inbox(2 * ARRIVAL_BYTES + 10, on_room=lambda: asked.append(None))
    assert inbox.put(arrival(b"12345"))
    assert not inbox.put(arrival(b"12345"))
    assert inbox.wait_for_room(0) is False
    assert asked == []
    inbox.take()
    assert inbox.has_room
    assert len(asked) == 1
    inbox.put(arrival(b"1"))
    inbox.take()
    assert len(asked) == 1, "it was not full"


def test_empty_arrivals_take_room_too() -> None:
    inbox = Inbox(10 * ARRIVAL_BYTES)
    assert [inbox.put(arrival(b"")) for _ in range(10)] == [True] * 9 + [False]


def test_who_waits_is_woken_by_an_arrival_and_by_the_end() -> None:
    inbox = Inbox(10_000)
    taken: list[list[bytes]] = []
    has_taken = threading.Semaphore(0)

    def read() -> None:
        for _ in range(2):
            taken.append([each.data for each in inbox.take(None)])
            has_taken.release()

    reader = threading.Thread(target=read)
    reader.start()
    inbox.put(arrival(b"x"))
    assert has_taken.acquire(timeout=60)
    inbox.close()
    reader.join(60)
    assert taken == [[b"x"], []]
    assert inbox.is_finished


def test_what_arrived_before_the_end_can_still_be_taken() -> None:
    inbox = Inbox(10_000)
    inbox.put(arrival(b"x"))
    inbox.close()
    assert not inbox.is_finished
    assert [each.data for each in inbox.take(None)] == [b"x"]
    assert inbox.is_finished


def test_it_calls_when_something_is_there_and_nothing_was() -> None:
    calls: list[None] = []
    inbox = Inbox(10_000, on_arrival=lambda: calls.append(None))
    inbox.put(arrival(b"1"))
    inbox.put(arrival(b"2"))
    assert len(calls) == 1
    inbox.take()
    inbox.put(arrival(b"3"))
    inbox.close()
    assert len(calls) == 3
