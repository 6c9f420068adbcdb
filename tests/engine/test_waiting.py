"""How long to wait, who may run beside whom, what time it is, and how a run is asked to stop."""

from __future__ import annotations

import queue
import random
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpngw_iac.engine.execute.clock import RealClock, VirtualClock
from vpngw_iac.engine.execute.retry import (
    IN_USE_PATIENCE,
    LIKELY,
    MAX_TRIES,
    MUTE_FOR,
    THROTTLED_FOR,
    RetryPolicy,
    is_in_use,
    poll_delay,
)
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.order.locks import FIRST_LIMIT, REMEMBERED, LockTable
from vpngw_iac.engine.order.operation import Key
from vpngw_iac.errors import AzureRefused, Contention, PreconditionFailed, SignInFailed, Throttled, Unavailable
from vpngw_iac.resources.base import OperationLock

LUCK = random.Random(7)
SHARED = OperationLock("gateway/writes", adaptive=True)
OWN = OperationLock("gateway/writes")


def key(number: int) -> Key:
    return Key(f"VpnConnection/hub/{number}", "put")


# --- polling ---------------------------------------------------------------------------------------------------------


@given(st.floats(0.001, 100_000), st.integers(0, 50), st.floats(1, 5000), st.floats(0, 10_000))
def test_azure_s_wish_is_honoured_up_to_five_minutes_unless_the_end_is_near(
    asked: float, polls: int, usual: float, age: float
) -> None:
    soonest, latest = (part * usual for part in LIKELY)
    wish, wait = min(asked, 300.0), poll_delay(asked, polls, usual, age)

    assert min(wish, 5.0) <= wait <= wish + 30.0
    if age + wish + 30.0 <= soonest or age >= latest:
        assert wait == wish
    elif age + wish <= soonest:
        assert wait == wish or age + wait == pytest.approx(soonest), "a second look would follow at once"
    else:
        assert wait <= wish
        assert age + wait <= max(soonest, age + 30.0) + 1e-6, "who is about to end is not left alone for long"


def test_a_gateway_is_not_looked_at_more_often_while_it_cannot_have_ended() -> None:
    waits = [poll_delay(100, 9, 1100, age) for age in (0, 300, 700, 820, 900, 1200, 1700, 4000)]

    assert waits == [100, 100, 100, 60, 30, 30, 100, 100]


def test_a_look_shortly_before_the_likely_end_comes_with_it() -> None:
    """A site's local gateway usually takes 15 seconds, and Azure asks to look after 10: that would be two looks."""
    assert poll_delay(10, 0, 15) == 12
    assert [poll_delay(10, polls, 40, 10.0 * polls) for polls in range(4)] == [10, 10, 12, 5]


@given(st.integers(0, 50), st.floats(1, 5000))
def test_without_a_wish_polls_grow_apart_up_to_a_minute(polls: int, usual: float) -> None:
    late = LIKELY[1] * usual
    assert 1.0 <= poll_delay(None, polls, usual, late) <= poll_delay(None, polls + 1, usual, late) <= 60.0


def test_a_wish_of_zero_is_looked_at_once_and_never_hammered() -> None:
    assert poll_delay(0, 0, 100) == 0
    assert poll_delay(0, 1, 100) >= 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InUseSubnetCannotBeDeleted", True),
        ("PublicIPAddressCannotBeDeleted", True),
        ("InUseRouteTableCannotBeDeleted", True),
        ("VirtualNetworkGatewayInUse", True),
        ("BadRequest", False),
        ("", False),
    ],
)
def test_refusals_because_of_users_are_told_by_their_code(code: str, expected: bool) -> None:
    assert is_in_use(code) is expected


# --- patience --------------------------------------------------------------------------------------------------------


def retry(
    retry_policy: RetryPolicy, error: Any, *, now: float = 0.0, verb: Any = "put", deleted: bool = False
) -> float | None:
    return retry_policy.retry(error, now, verb, LUCK, deleted_some=deleted)


@pytest.mark.parametrize("error", [Contention("busy"), Throttled("slow")])
def test_contention_and_throttling_are_waited_for_without_end(error: Any) -> None:
    retry_policy = RetryPolicy()

    delays = [retry(retry_policy, error) for _ in range(200)]

    assert all(delay is not None and 0 < delay <= 144 for delay in delays)


def test_what_azure_asks_for_beats_our_own_guess() -> None:
    assert retry(RetryPolicy(), Throttled("slow", retry_after=77)) == 77


def test_lost_answers_and_overtaken_writes_have_an_end() -> None:
    lost, overtaken = RetryPolicy(), RetryPolicy()

    losses = [retry(lost, Unavailable("gone")) for _ in range(MAX_TRIES)]
    conflicts = [retry(overtaken, PreconditionFailed("etag")) for _ in range(4)]

    assert [delay is None for delay in losses] == [False] * (MAX_TRIES - 1) + [True]
    assert [delay is None for delay in conflicts] == [False, False, False, True]


def test_a_delete_in_use_is_retried_for_ten_minutes_and_only_if_this_run_deleted_something() -> None:
    error, retry_policy = AzureRefused("in use", code="InUseSubnetCannotBeDeleted"), RetryPolicy()

    first = retry(retry_policy, error, now=100.0, verb="delete", deleted=True)
    late = retry(retry_policy, error, now=100.0 + IN_USE_PATIENCE, verb="delete", deleted=True)

    assert (first, late) == (15.0, None)
    assert retry(RetryPolicy(), error, verb="delete", deleted=False) is None
    assert retry(RetryPolicy(), error, verb="put", deleted=True) is None


def test_a_refusal_is_final() -> None:
    assert retry(RetryPolicy(), AzureRefused("no", code="BadRequest")) is None


def test_only_a_lost_sign_in_ends_polling_at_once() -> None:
    assert RetryPolicy().poll_failed(SignInFailed("expired"), 0.0)
    assert not RetryPolicy().poll_failed(Unavailable("gone"), 0.0)


def test_polling_ends_when_nobody_answers_often_and_for_long_and_an_answer_begins_anew() -> None:
    often, long, answered = RetryPolicy(), RetryPolicy(), RetryPolicy()

    assert not any(often.poll_failed(Unavailable("gone"), float(n)) for n in range(200)), "not for long"
    assert [long.poll_failed(Unavailable("gone"), n * 3600.0) for n in range(3)] == [False] * 3, "not often"
    assert often.poll_failed(Unavailable("gone"), MUTE_FOR + 1.0)
    for moment in range(31):
        answered.poll_failed(Unavailable("gone"), float(moment))
    answered.poll_answered()
    assert not answered.poll_failed(Unavailable("gone"), MUTE_FOR + 1.0)


def test_too_many_requests_never_make_an_operation_unconfirmed_within_two_hours() -> None:
    throttled = RetryPolicy()

    assert not any(throttled.poll_failed(Throttled("slow"), float(n)) for n in range(7200))
    assert throttled.poll_failed(Throttled("slow"), THROTTLED_FOR + 1.0)


# --- locks -----------------------------------------------------------------------------------------------------------


def test_an_exclusive_lock_keeps_others_out_until_it_is_given_back() -> None:
    locks = LockTable()
    locks.take(key(1), [OWN])

    assert "VpnConnection/hub/1" in locks.blocked_by(key(2), [OWN])
    assert locks.blocked_by(key(1), [OWN]) == ""
    locks.give(key(1))
    assert locks.blocked_by(key(2), [OWN]) == ""


def test_an_adaptive_lock_lets_a_few_run_at_first() -> None:
    locks = LockTable()
    for number in range(FIRST_LIMIT):
        assert locks.blocked_by(key(number), [SHARED]) == ""
        locks.take(key(number), [SHARED])

    assert locks.blocked_by(key(99), [SHARED]) != ""


def filled(locks: LockTable, first: int) -> int:
    """How many more may run now."""
    number = first
    while not locks.blocked_by(key(number), [SHARED]):
        locks.take(key(number), [SHARED])
        number += 1
    return number - first


def test_a_full_round_without_refusal_doubles_what_runs_together() -> None:
    locks, begun, rounds = LockTable(), 0, []
    for _ in range(4):
        count = filled(locks, begun)
        rounds.append(count)
        for number in range(begun, begun + count):
            assert filled(locks, 10_000) == 0, "the round is not full yet"
            locks.succeeded(key(number))
        for number in range(begun, begun + count):
            locks.give(key(number))
        begun += count

    assert rounds == [4, 8, 16, 32]


def test_a_refusal_halves_what_runs_together_and_begins_the_round_anew() -> None:
    locks = LockTable()
    filled(locks, 0)
    for number in range(3):
        locks.succeeded(key(number))

    locks.refused(key(3))
    for number in range(4):
        locks.give(key(number))

    assert filled(locks, 10) == 2
    locks.succeeded(key(10))
    locks.give(key(10))
    assert filled(locks, 20) == 1, "one of two is no full round"


def test_refusals_of_all_that_were_sent_together_are_one() -> None:
    locks = LockTable()
    for number in range(filled(locks, 0)):
        locks.succeeded(key(number))
        locks.give(key(number))
    count = filled(locks, 10)

    told = [locks.refused(key(number)) for number in range(10 + FIRST_LIMIT, 10 + count)]

    assert (count, told) == (2 * FIRST_LIMIT, [True] * FIRST_LIMIT)
    for number in range(10, 10 + count):
        locks.give(key(number))
    assert filled(locks, 20) == FIRST_LIMIT, "halved once"


def test_who_is_refused_again_after_a_new_try_halves_again() -> None:
    locks = LockTable()
    filled(locks, 0)

    for number in range(4):
        locks.refused(key(number))
    told = []
    for number in range(4):
        locks.tries_again(key(number))
        told.append(locks.refused(key(number)))
    for number in range(4):
        locks.give(key(number))

    assert told == [False] * 4, "somebody else is at work: no end of ours is worth waiting for"
    assert filled(locks, 10) == 1


def test_what_was_borne_is_remembered_for_some_rounds_and_then_more_is_tried() -> None:
    locks, begun, rounds = LockTable(), 100, []
    filled(locks, 0)
    assert locks.refused(key(3)), "three of four run"
    for number in range(4):
        locks.give(key(number))

    for _ in range(REMEMBERED + 1):
        count = filled(locks, begun)
        rounds.append(count)
        for number in range(begun, begun + count):
            locks.succeeded(key(number))
            locks.give(key(number))
        begun += count

    assert rounds == [2, 3, 3, 3, 6]


def test_who_was_refused_has_its_turn_when_a_sibling_has_ended() -> None:
    locks = LockTable()
    filled(locks, 0)
    locks.refused(key(3))
    locks.refused(key(2))

    (lock,) = locks.give(key(0))
    first = locks.next_turned_away(lock)
    assert first == key(2)
    locks.tries_again(key(2))

    assert locks.next_turned_away(lock) == key(3)
    assert locks.next_turned_away(OWN) is None
    locks.give(key(3))
    assert locks.next_turned_away(lock) is None


def test_an_imagined_cloud_bears_no_more_however_well_it_goes() -> None:
    locks, begun = LockTable(bears=FIRST_LIMIT), 0
    for _ in range(3):
        assert filled(locks, begun) == FIRST_LIMIT
        for number in range(begun, begun + FIRST_LIMIT):
            locks.succeeded(key(number))
            locks.give(key(number))
        begun += FIRST_LIMIT


def test_the_cause_of_waiting_is_the_same_however_many_run() -> None:
    locks = LockTable()
    filled(locks, 0)
    causes = {locks.blocked_by(key(9), [SHARED])}
    locks.take(key(8), [SHARED])
    causes.add(locks.blocked_by(key(9), [SHARED]))

    assert len(causes) == 1


def test_it_never_adapts_to_less_than_one() -> None:
    locks = LockTable()
    for _ in range(9):
        locks.take(key(1), [SHARED])
        locks.refused(key(1))
        locks.give(key(1))

    assert locks.blocked_by(key(2), [SHARED]) == ""


def test_a_gateway_s_own_write_and_its_connections_exclude_each_other() -> None:
    gateway_first, connection_first = LockTable(), LockTable()
    gateway_first.take(Key("VpnGateway/hub", "put"), [OWN])
    connection_first.take(key(1), [SHARED])

    assert gateway_first.blocked_by(key(1), [SHARED]) != ""
    assert connection_first.blocked_by(Key("VpnGateway/hub", "put"), [OWN]) != ""


def test_who_ran_beside_a_sibling_is_told_once() -> None:
    locks = LockTable()
    locks.take(key(1), [SHARED])
    locks.take(key(2), [SHARED])
    locks.give(key(2))

    assert locks.was_crowded(key(1))
    assert not locks.was_crowded(key(1))


def test_one_alone_was_not_crowded() -> None:
    locks = LockTable()
    locks.take(key(1), [SHARED])

    assert not locks.was_crowded(key(1))


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_virtual_time_jumps_only_while_no_call_is_in_flight() -> None:
    clock, inbox = VirtualClock(), queue.SimpleQueue[str]()
    threading.Timer(0.02, inbox.put, ["answer"]).start()

    answered = clock.next(inbox, 60.0, calls_in_flight=1)
    moment = clock.now()
    nothing = clock.next(inbox, 60.0, calls_in_flight=0)

    assert (answered, moment, nothing, clock.now()) == ("answer", 0.0, None, 60.0)


def test_virtual_time_never_goes_back_and_tells_who_listens() -> None:
    clock, heard = VirtualClock(5.0), list[float]()
    clock.on_advance(heard.append)

    clock.advance(-3)
    clock.sleep(2)

    assert heard == [5.0, 7.0]
    assert clock.utc() == "2026-01-01T00:00:07.000000Z"


def test_real_time_made_faster_waits_shorter() -> None:
    clock, inbox = RealClock(speed=1000.0), queue.SimpleQueue[str]()

    started = clock.now()
    assert clock.next(inbox, 20.0, calls_in_flight=0) is None
    clock.sleep(10.0)

    assert clock.now() - started >= 30.0
    assert clock.utc().endswith("Z")


def test_real_time_hands_over_a_message_at_once() -> None:
    clock, inbox = RealClock(), queue.SimpleQueue[str]()
    inbox.put("answer")

    assert clock.next(inbox, None, calls_in_flight=1) == "answer"
    assert clock.next(inbox, 0.0, calls_in_flight=0) is None


def test_a_time_that_is_over_before_anybody_waits_ends() -> None:
    """A queue of CPython 3.11 that nobody has looked into would then wait for ever."""
    clock, ended = RealClock(speed=1_000_000.0), threading.Event()

    def wait_often() -> None:
        for number in range(20_000):
            clock.next(queue.SimpleQueue(), number % 50, calls_in_flight=0)  # microseconds of real time
        ended.set()

    threading.Thread(target=wait_often, daemon=True).start()

    assert ended.wait(timeout=20.0)


def test_time_cannot_stand_still() -> None:
    with pytest.raises(ValueError, match="positive"):
        RealClock(speed=0)


# --- stop ------------------------------------------------------------------------------------------------------------


def test_the_first_reason_stays_and_the_second_request_is_immediate() -> None:
    stop = Stop()
    stop.request("terminated")
    stop.now()

    assert (stop.asked, stop.immediate, stop.reason) == (True, True, "terminated")


def test_who_waits_is_woken_also_when_it_was_asked_before() -> None:
    stop, before, after = Stop(), queue.SimpleQueue[Any](), queue.SimpleQueue[Any]()
    stop.wakes(before)
    stop.request()
    stop.wakes(after)

    assert before.get_nowait() is None
    assert after.get_nowait() is None
