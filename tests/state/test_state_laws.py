"""Laws of states and journals, over random ones."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.state.samples import AT, a_state, an_entry, an_id, begun, journals, law, opened, states
from vpngw_iac.state.document import (
    Damaged,
    dump_checkpoint,
    dump_record,
    dump_state,
    load_checkpoint,
    load_journal,
    load_state,
)
from vpngw_iac.state.journal import (
    RECORD,
    Accepted,
    EntriesMoved,
    EntryRemoved,
    EntrySet,
    LoadedState,
    OperationClosed,
    RunClosed,
    fold,
)


@law
@given(states())
def test_a_state_that_is_written_and_read_is_the_same_state(state):
    assert load_state(dump_state(state), name="x") == state


@law
@given(states())
def test_equal_states_are_written_with_equal_bytes(state):
    backwards = state.model_copy(update={"entries": dict(reversed(state.entries.items()))})

    assert dump_state(state) == dump_state(backwards)


@law
@given(states())
def test_a_document_is_the_json_of_the_whole_state(state):
    """It is written entry by entry."""
    written = b"".join(dump_checkpoint(LoadedState(state, last=7)))

    whole = state.model_dump(mode="json") | {"journal": json.loads(written)["journal"]}
    assert written.decode() == json.dumps(whole, indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("open_count", [0, 1, 51])
@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_a_document_of_several_parts_is_the_same_json(count, open_count):
    state = a_state(*(an_entry(number) for number in range(count)))
    records = [
        begun(f"op-{number}", number=number).model_copy(update={"number": 1 + number}) for number in range(open_count)
    ]
    loaded = fold(LoadedState(state), records)

    parts = list(dump_checkpoint(loaded))

    written = [RECORD.dump_python(record, mode="json") for record in records]
    whole = state.model_dump(mode="json") | {"journal": {"last": open_count, "open": written}}
    assert b"".join(parts).decode() == json.dumps(whole, indent=1, sort_keys=True) + "\n"
    assert len(parts) == 3 + -(-count // 50) + -(-open_count // 50)


def test_a_state_that_was_read_holds_each_id_once():
    """Every resource of a hub names its gateway and its group."""
    state = a_state(an_entry(0), *(an_entry(number, needs=[0]) for number in range(1, 5)))

    read = load_checkpoint(b"".join(dump_checkpoint(LoadedState(state))), "x").state

    assert {id(entry.needs[0]) for entry in read.entries.values() if entry.needs} == {id(read.entries["Thing/0000"].id)}


@law
@given(states())
def test_drawn_states_are_valid(state):
    assert state.check() == ()


@law
@given(states(), journals)
def test_a_checkpoint_keeps_everything_that_the_journal_told(state, records):
    loaded = fold(LoadedState(state), records)

    assert load_checkpoint(b"".join(dump_checkpoint(loaded)), "x") == loaded


@law
@given(states(), journals, st.integers(0, 12))
def test_replaying_records_that_are_already_folded_in_changes_nothing(state, records, cut):
    once = fold(LoadedState(state), records)

    assert fold(once, records) == once
    assert fold(fold(LoadedState(state), records[:cut]), records) == once


@law
@given(states(), journals, st.integers(0, 12))
def test_a_checkpoint_at_any_record_leads_to_the_same_memory(state, records, cut):
    """A run may be killed between writing the document and starting the new journal."""
    part = load_checkpoint(b"".join(dump_checkpoint(fold(LoadedState(state), records[:cut]))), "x")

    assert fold(part, records) == fold(LoadedState(state), records)


@law
@given(states(), journals)
def test_whatever_is_replayed_the_state_stays_valid(state, records):
    assert fold(LoadedState(state), records).state.check() == ()


@law
@given(journals, st.data())
def test_any_prefix_of_a_journal_is_its_first_records_or_a_told_torn_line(records, data):
    lines = [dump_record(record) for record in records]
    whole = b"".join(lines)
    length = data.draw(st.integers(0, len(whole)))

    journal = load_journal(whole[:length])

    count = len(journal.records)
    assert list(journal.records) == records[:count]
    ends = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
    assert journal.torn == (length not in ends and length + 1 not in ends)
    assert ends[count] - 1 <= length or count == 0
    assert journal.whole == (length if not journal.torn else ends[count])


@law
@given(journals.filter(len), st.data())
def test_a_flipped_byte_is_damage_or_another_record_but_never_a_crash(records, data):
    whole = bytearray(b"".join(dump_record(record) for record in records))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(Damaged):
        load_journal(bytes(whole))


def test_an_operation_is_in_flight_from_begun_to_ended():
    start = LoadedState(a_state())
    records = [opened(), begun(), Accepted(at=AT, operation="op-1", url="https://x/operations/1")]
    numbered = [record.model_copy(update={"number": n}) for n, record in enumerate(records, start=1)]

    loaded = fold(start, numbered)

    assert loaded.in_flight["op-1"].accepted == numbered[2]
    assert loaded.open_run == numbered[0]
    ended = OperationClosed(number=4, at=AT, operation="op-1", status="succeeded")
    closed = RunClosed(number=5, at=AT, run="run-1", outcome="succeeded", exit_code=0)
    after = fold(loaded, [ended, closed])
    assert (after.in_flight, after.open_run, after.last) == ({}, None, 5)


def test_removing_an_entry_frees_those_that_needed_it():
    loaded = LoadedState(a_state(an_entry(1), an_entry(2, needs=[1])))

    after = fold(loaded, [EntryRemoved(number=1, at=AT, address="Thing/0001", why="forgotten")])

    assert after.state.entries["Thing/0002"].needs == ()
    assert after.state.serial == 1
    assert loaded.state.entries["Thing/0002"].needs == (an_id(1),), "a fold alters nothing that it was given"


def test_a_record_that_comes_twice_counts_once():
    record = EntrySet(number=1, at=AT, entry=an_entry(1))

    assert fold(LoadedState(a_state()), [record, record]).state.serial == 1


def test_moving_an_entry_keeps_those_that_need_it():
    loaded = LoadedState(a_state(an_entry(1), an_entry(2, needs=[1])))

    after = fold(loaded, [EntriesMoved(number=1, at=AT, addresses={"Thing/0001": "Thing/new"})])

    assert sorted(after.state.entries) == ["Thing/0002", "Thing/new"]
    assert after.state.check() == ()


@pytest.mark.parametrize(
    "addresses", [{"Thing/0002": "Thing/0001"}, {"Thing/0001": "Thing/x", "Thing/0002": "Thing/x"}]
)
def test_a_move_onto_another_entry_leaves_nobody_who_needs_what_is_lost(addresses):
    loaded = LoadedState(a_state(an_entry(1), an_entry(2, needs=[1]), an_entry(3, needs=[1])))

    after = fold(loaded, [EntriesMoved(number=1, at=AT, addresses=addresses)])

    assert set(after.state.entries) == {*addresses.values(), "Thing/0003"}
    assert after.state.check() == ()


def test_two_entries_can_change_places():
    loaded = LoadedState(a_state(an_entry(1), an_entry(2)))
    places = {"Thing/0001": "Thing/0002", "Thing/0002": "Thing/0001", "Thing/0404": "Thing/0405"}

    after = fold(loaded, [EntriesMoved(number=1, at=AT, addresses=places)])

    assert {address: entry.id for address, entry in after.state.entries.items()} == {
        "Thing/0001": an_id(2),
        "Thing/0002": an_id(1),
    }
    assert after.state.check() == ()


def test_an_entry_that_is_set_under_its_old_address_after_a_move_is_there_once():
    """An operation was in flight while `state mv` renamed its resource."""
    state = a_state(an_entry(0))
    identity = state.entries["Thing/0000"].id
    records = [
        EntriesMoved(at=AT, addresses={"Thing/0000": "Thing/0001"}, number=1),
        EntrySet(at=AT, entry=state.entries["Thing/0000"], number=2),
    ]

    after = fold(LoadedState(state), records).state

    assert after.check() == ()
    assert {entry.id: address for address, entry in after.entries.items()} == {identity: "Thing/0000"}
