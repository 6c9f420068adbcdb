"""One set of threads for the calls of many: bounded, fair, and nobody waits for what will not come."""

from __future__ import annotations

import threading
import time

import pytest

from vpngw_iac.call_threads import CallThreads


class Gauge:
    """Counts how many are inside at once, and how many threads have been."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.inside = self.most = 0
        self.threads: set[str] = set()

    def __call__(self) -> int:
        with self._guard:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.threads.add(str(threading.get_ident()))
        time.sleep(0.01)
        with self._guard:
            self.inside -= 1
        return self.inside


def test_results_are_in_the_order_of_the_steps() -> None:
    assert CallThreads().in_parallel([lambda n=n: n * n for n in range(50)], 16) == [n * n for n in range(50)]  # type: ignore[misc]


def test_a_queue_has_no_more_under_way_than_it_was_given() -> None:
    gauge = Gauge()

    CallThreads().in_parallel([gauge] * 20, 3)

    assert gauge.most == 3


def test_all_queues_together_have_no_more_than_there_are_threads() -> None:
    gauge, threads = Gauge(), CallThreads(4)
    readers = [threading.Thread(target=threads.in_parallel, args=([gauge] * 10, 16)) for _ in range(12)]

    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)

    assert gauge.most == 4


def test_who_has_little_to_do_is_not_behind_all_that_another_has_to_do() -> None:
    threads, order = CallThreads(1), list[str]()
    many, few = threads.queue(2), threads.queue(2)
    began, go = threading.Event(), threading.Event()

    def first() -> None:
        began.set()
        go.wait(30)

    many.submit(first)
    began.wait(30)
    for _ in range(20):
        many.submit(lambda: order.append("many"))
    few.submit(lambda: order.append("few"))
    go.set()
    ended = threading.Event()
    many.submit(ended.set)
    assert ended.wait(30)

    assert order.index("few") <= 2


def test_steps_of_steps_need_no_second_thread() -> None:
    threads = CallThreads(2)

    def outer() -> list[int]:
        return threads.in_parallel([lambda n=n: n for n in range(5)], 16)  # type: ignore[misc]

    assert threads.in_parallel([outer] * 6, 16) == [[0, 1, 2, 3, 4]] * 6


def test_the_first_failure_is_raised_and_the_rest_is_dropped() -> None:
    done = list[int]()

    def fail() -> None:
        raise KeyError("first")

    def slow() -> None:
        time.sleep(0.02)
        done.append(1)

    with pytest.raises(KeyError, match="first"):
        CallThreads(1).in_parallel([fail, *[slow] * 100], 16)
    assert len(done) < 100


def test_to_close_drops_what_has_not_begun_and_waits_for_the_rest() -> None:
    threads = CallThreads(1)
    calls, done = threads.queue(8), list[int]()
    began = threading.Event()

    def long() -> None:
        began.set()
        time.sleep(0.1)
        done.append(1)

    for _ in range(3):
        calls.submit(long)
    began.wait(30)
    calls.close(wait=True)

    assert done == [1]


def test_no_thread_stays_that_keeps_a_process_from_leaving() -> None:
    threads = CallThreads()
    threads.in_parallel([lambda: None] * 10, 16)

    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "vpngw-call")


def test_a_call_that_dies_takes_nobody_along() -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    threads, ended = CallThreads(1), threading.Event()
    calls = threads.queue(1)

    for work in (die, die, ended.set):
        calls.submit(work)

    assert ended.wait(10), "what stands behind it has its turn"
    closed = threading.Thread(target=lambda: calls.close(wait=True), daemon=True)
    closed.start()
    closed.join(10)
    assert not closed.is_alive(), "and nobody waits for what will never come"
