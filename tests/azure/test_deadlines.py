"""One thread does what is due; what is called off is neither done nor kept."""

from __future__ import annotations

import gc
import threading
import time
import weakref

from vpngw_iac.azure.deadlines import Deadlines


def test_what_is_due_is_done_in_the_order_of_its_time_and_what_is_cancelled_is_not() -> None:
    done: list[str] = []
    ended = threading.Event()
    deadlines = Deadlines()

    deadlines.after(0.2, ended.set)
    deadlines.after(0.1, lambda: done.append("second"))
    deadlines.after(0.05, lambda: done.append("first"))
    deadlines.after(0.08, lambda: done.append("never")).cancel()

    assert ended.wait(10)
    assert done == ["first", "second"]


def test_a_nearer_one_is_not_kept_waiting_by_one_that_is_far_away() -> None:
    near = threading.Event()
    deadlines = Deadlines()

    deadlines.after(3600, lambda: None)
    time.sleep(0.05)  # the thread waits for that one now
    deadlines.after(0.01, near.set)

    assert near.wait(10)


def test_ten_thousand_that_are_called_off_take_one_thread_and_no_room() -> None:
    class Exchange:
        def cut(self) -> None:
            raise AssertionError("it was called off")

    deadlines, before = Deadlines(), set(threading.enumerate())
    first = Exchange()
    kept = weakref.ref(first)

    deadlines.after(3600, first.cut).cancel()
    del first
    for _ in range(10_000):
        deadlines.after(300, Exchange().cut).cancel()
    gc.collect()

    assert len(set(threading.enumerate()) - before) == 1
    assert kept() is None
    assert len(deadlines._heap) < 2_000
