"""Working on several things at once, in threads that keep nobody from leaving."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from vpngw_iac.engine.execute.clock import received
from vpngw_iac.errors import VpngwError
from vpngw_iac.files import refused_by_system

LOOK = 0.2
"""Seconds after which who waits for threads looks around: a signal is heard, a stop is seen."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    parallel: int,
    *,
    instead: Callable[[Item], Result | None] = lambda _: None,
) -> list[Result]:
    """The results of `work` for each item, in their order; `parallel` at once, begun in that order.

    `work` raises nothing. What `instead` answers for an item, once it answers, stands for a result that is not there
    yet; it is asked from time to time. Ctrl-C is raised here at once.
    """
    results: dict[int, Result] = {}
    inbox: queue.SimpleQueue[tuple[int, Result]] = queue.SimpleQueue()
    numbers = itertools.count()

    def toil() -> None:
        while (number := next(numbers)) < len(items):
            inbox.put((number, work(items[number])))

    for _ in range(min(parallel, len(items))):
        threading.Thread(target=toil, name="vpngw-deployment", daemon=True).start()
    while len(results) < len(items):
        try:
            number, result = received(inbox, LOOK)
            results[number] = result
        except queue.Empty:
            for number in [number for number in range(len(items)) if number not in results]:
                if (other := instead(items[number])) is not None:
                    results[number] = other
    return [results[number] for number in range(len(items))]


def attempt(work: Callable[[], Result]) -> tuple[Result | None, VpngwError | None]:
    """A result, or the error that came in its place: it belongs to one of several, and ends no other."""
    try:
        return work(), None
    except VpngwError as error:
        return None, error
    except OSError as error:
        return None, refused_by_system(error)
    except Exception as error:
        told = VpngwError(
            f"{type(error).__name__}: {error}".splitlines()[0],
            advice="This is a bug in vpngw: please report it with the output of the same command with --verbose.",
        )
        told.__cause__ = error
        return None, told
