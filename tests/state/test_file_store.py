"""The file store: what it keeps, how it keeps it, and what it says when that is damaged."""

from __future__ import annotations

import json
import os
import stat
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.state.samples import (
    AT,
    BINDING,
    DEPLOYMENT,
    TENANT,
    a_state,
    an_entry,
    an_owner,
    begun,
    entry_set,
    journals,
    law,
    opened,
)
from vpngw_iac.errors import ExitCode, StateError, StateLocked, StateMismatch, UsageError
from vpngw_iac.state.disk import Folder
from vpngw_iac.state.document import dump_record, load_checkpoint, load_state
from vpngw_iac.state.file import FileStore, state_folder
from vpngw_iac.state.journal import Accepted, EntryRemoved, LoadedState, OperationClosed, RunClosed, StateReplaced, fold
from vpngw_iac.state.model import Binding


@pytest.fixture
def folder(tmp_path):
    return state_folder(tmp_path / ".vpngw" / "state", "simulator", DEPLOYMENT)


@pytest.fixture
def store(folder):
    return FileStore(folder, DEPLOYMENT, BINDING, utc=lambda: AT)


def write(store, state, *records):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(state)
        return [locked.append(record) for record in records]


def test_a_store_without_anything_remembers_nothing_and_writes_nothing(store, folder):
    assert store.load() is None
    assert store.key() is None
    assert store.owner() is None
    assert store.unlock() is None
    assert list(store.history()) == []
    assert store.backups() == ()
    assert not folder.exists()


def test_what_was_appended_is_remembered_with_its_numbers(store):
    state = a_state(an_entry(1))

    records = write(store, state, opened(), begun(number=2), entry_set(2))

    assert [record.number for record in records] == [1, 2, 3]
    loaded = store.load()
    assert fold(LoadedState(state), records).state.entries == loaded.state.entries
    assert {"op-1"} == set(loaded.in_flight)
    assert records[0] == loaded.open_run
    assert (loaded.last, loaded.state.serial, loaded.notices) == (3, 1, ())
    assert records == list(store.history())


def test_a_checkpoint_carries_operations_in_flight_into_the_new_journal(store):
    accepted = Accepted(at=AT, operation="op-1", url="https://x/operations/1")
    write(store, a_state(), opened(), begun(number=2), accepted, entry_set(1))
    before = store.load()

    with store.locked(an_owner("run-2")) as locked:
        locked.checkpoint(store.load().state)
    after = store.load()

    assert (before.in_flight, before.open_run, before.last) == (after.in_flight, after.open_run, after.last)
    with store.locked(an_owner("run-3")) as locked:
        ended = locked.append(OperationClosed(at=AT, operation="op-1", status="succeeded"))
    assert ended.number == 5
    assert store.load().in_flight == {}
    assert [record.number for record in store.history()] == [1, 2, 3, 4, 5]


def test_whoever_holds_the_lock_knows_what_is_stored_without_reading_it_again(store):
    write(store, a_state(an_entry(1)), opened(), begun(number=2))

    with store.locked(an_owner("run-2")) as locked:
        before = locked.loaded()
        assert before == store.load()
        locked.append(OperationClosed(at=AT, operation="op-1", status="succeeded"))
        locked.append(entry_set(2))
        after = locked.loaded()

    assert after == store.load()
    assert (set(before.in_flight), set(before.state.entries)) == ({"op-1"}, {"Thing/0001"}), "it stays as it was"
    assert after.state.entries["Thing/0001"] is before.state.entries["Thing/0001"]


def test_nothing_is_stored_before_the_first_document(store):
    with store.locked(an_owner()) as locked:
        assert locked.loaded() is None


def test_a_long_run_writes_its_document_anew_from_time_to_time(store):
    with store.locked(an_owner()) as locked:
        locked.records_per_document = 5
        locked.checkpoint(a_state())
        locked.append(opened())
        locked.append(begun(number=7))
        for number in range(10):
            locked.append(entry_set(number))
    with store.locked(an_owner("run-2")) as locked:
        locked.append(entry_set(11))

    loaded = store.load()
    assert load_checkpoint(store.document(), "state.json").last == 10
    assert (loaded.last, set(loaded.in_flight), len(loaded.state.entries)) == (13, {"op-1"}, 11)
    assert [record.number for record in store.history()] == list(range(1, 14))


def test_an_append_does_not_rewrite_what_is_there(store, folder):
    write(store, a_state(*(an_entry(n) for n in range(50))), opened())
    document, journal = (folder / "state.json").stat(), (folder / "journal.jsonl").stat()

    with store.locked(an_owner("run-2")) as locked:
        locked.append(entry_set(60))

    assert document.st_ino == (folder / "state.json").stat().st_ino
    assert document.st_mtime_ns == (folder / "state.json").stat().st_mtime_ns
    assert journal.st_ino == (folder / "journal.jsonl").stat().st_ino


def test_a_thousand_entries_and_records_are_no_effort(store):
    needs = {n: [n - 1] if n else [] for n in range(1000)}
    state = a_state(*(an_entry(n, needs[n]) for n in range(1000)))
    with store.locked(an_owner()) as locked:
        locked.checkpoint(state)
        locked.append(opened())
    lines = [dump_record(entry_set(n).model_copy(update={"number": n + 2})) for n in range(1000)]
    with (store.folder / "journal.jsonl").open("ab") as journal:
        journal.write(b"".join(lines))

    start = time.process_time()
    loaded = store.load()
    seconds = time.process_time() - start

    assert loaded.last == 1001
    assert len(loaded.state.entries) == 1000
    assert seconds < 2, "a thousand entries and a thousand records take a fraction of a second on an idle machine"


def test_a_journal_before_its_first_document_is_refused(store):
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="no state document yet"):
        locked.append(opened())


def test_everything_is_private(store, folder):
    os.umask(0o022)
    store.key(create=True)
    write(store, a_state(an_entry(1)), opened())
    write(store, store.load().state.model_copy(update={"serial": 9}), opened())

    modes = {
        path.relative_to(folder.parent).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }

    wrong = {p: oct(mode) for p, mode in modes.items() if mode != (0o700 if (folder.parent / p).is_dir() else 0o600)}
    assert wrong == {}
    names = {name.removeprefix(f"{DEPLOYMENT}/") for name in modes}
    assert {"state.json", "journal.jsonl", "key", "lock", "guard", "history", "backups"} <= names


def test_files_that_became_readable_are_tightened_by_the_next_run(store, folder):
    write(store, a_state(), opened())
    folder.chmod(0o755)
    (folder / "state.json").chmod(0o644)

    with store.locked(an_owner()):
        pass

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600


def test_a_killed_write_leaves_no_temporary_file_for_long(store, folder):
    write(store, a_state())
    (folder / ".writing-abc").write_text("half a document")

    write(store, a_state(an_entry(1)))

    assert list(folder.glob(".writing-*")) == []


def test_the_key_is_made_once_and_kept_apart_from_the_document(store, folder):
    key = store.key(create=True)

    assert key.secret == store.key().secret == store.key(create=True).secret
    write(store, a_state(an_entry(1)), opened())
    assert key.secret.hex() not in (folder / "state.json").read_text() + (folder / "journal.jsonl").read_text()


@pytest.mark.parametrize("content", ["", "zz", "abcd", "ä"])
def test_a_damaged_key_is_told_and_not_replaced(store, folder, content):
    store.key(create=True)
    (folder / "key").write_text(content)

    with pytest.raises(StateError, match=r"fingerprint key .* is damaged"):
        store.key(create=True)

    assert content == (folder / "key").read_text()


def use(store):
    """Everything that reads or writes a file of the folder."""
    with store.locked(an_owner()) as locked:
        store.key(create=True)
        store.load()
        locked.append(opened())
        locked.checkpoint(a_state(an_entry(1)))


# --- links and paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["state.json", "journal.jsonl", "key", "lock", "lock.json", "guard", "history"])
def test_a_symbolic_link_in_the_folder_is_refused(store, folder, tmp_path, name):
    write(store, a_state(), opened())
    store.key(create=True)
    outside = tmp_path / "outside"
    outside.mkdir() if name == "history" else outside.write_text("{}")
    target = folder / name
    target.rmdir() if target.is_dir() else target.unlink(missing_ok=True)
    target.symlink_to(outside)

    with pytest.raises(StateError, match="a symbolic link"):
        use(store)

    assert outside.is_dir() or outside.read_text() == "{}"


def test_a_state_folder_that_is_a_symbolic_link_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")
    store = FileStore(folder, DEPLOYMENT, BINDING)

    with pytest.raises(StateError, match="symbolic link"):
        state_folder(tmp_path / ".vpngw" / "state", "simulator", DEPLOYMENT)
    with pytest.raises(StateError, match="symbolic link"):
        store.load()
    with pytest.raises(StateError, match="symbolic link"), store.locked(an_owner()):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_device_or_pipe_in_place_of_a_file_is_refused(store, folder):
    write(store, a_state())
    (folder / "state.json").unlink()
    os.mkfifo(folder / "state.json")

    with pytest.raises(StateError, match="not a plain file"):
        store.load()


@pytest.mark.parametrize("name", ["../other", "a/b", "", ".", "~/x y"])
def test_a_deployment_whose_name_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(UsageError):
        FileStore(tmp_path, name, BINDING)
    with pytest.raises(UsageError):
        state_folder(tmp_path, "simulator", name)
    with pytest.raises(UsageError):
        state_folder(tmp_path, name, DEPLOYMENT)


# --- whose state it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cloud": "public"}, "bound to cloud simulator, but this run uses cloud public"),
        (
            {"endpoint": "https://other"},
            "endpoint https://management.example, but this run uses endpoint https://other",
        ),
        ({"tenant": "t2"}, f"tenant {TENANT}, but this run uses tenant t2"),
    ],
)
def test_a_state_of_another_cloud_is_refused_naming_both(store, folder, change, told):
    write(store, a_state(an_entry(1)), opened())
    other = FileStore(folder, DEPLOYMENT, BINDING.model_copy(update=change))
    before = (folder / "state.json").read_bytes()

    with pytest.raises(StateMismatch, match=told):
        other.load()
    with pytest.raises(StateMismatch), other.locked(an_owner()) as locked:
        locked.append(opened())
    with pytest.raises(StateMismatch), other.locked(an_owner()) as locked:
        other.replace(locked, a_state(binding=BINDING.model_copy(update=change)))

    assert before == (folder / "state.json").read_bytes()


def test_casing_and_a_trailing_slash_are_no_other_cloud(store, folder):
    write(store, a_state(an_entry(1)))
    same = Binding(cloud="Simulator", endpoint="HTTPS://management.example/", tenant=TENANT.upper())

    assert FileStore(folder, DEPLOYMENT, same).load() == store.load()


def test_a_command_that_asks_no_cloud_reads_any_state(store, folder):
    write(store, a_state(an_entry(1)))

    assert FileStore(folder, DEPLOYMENT).load() == store.load()


def test_a_state_of_another_deployment_is_refused_naming_both(store, folder):
    write(store, a_state())

    with pytest.raises(StateMismatch, match=r"deployment 'contoso-hub', not of 'fabrikam'"):
        FileStore(folder, "fabrikam", BINDING).load()


def test_writing_the_state_of_something_else_is_refused(store):
    with store.locked(an_owner()) as locked:
        with pytest.raises(StateMismatch, match="'other', not of 'contoso-hub'"):
            locked.checkpoint(a_state(deployment="other"))
        with pytest.raises(StateMismatch, match="endpoint"):
            locked.checkpoint(a_state(binding=BINDING.model_copy(update={"endpoint": "https://other"})))

    assert store.load() is None


def test_an_invalid_state_is_never_written(store, folder):
    write(store, a_state(serial=4))
    before = (folder / "state.json").read_bytes()

    with store.locked(an_owner()) as locked:
        with pytest.raises(StateError, match="which is not an entry"):
            locked.checkpoint(a_state(an_entry(1, needs=[2]), serial=5))
        with pytest.raises(StateError, match="below the stored state's 4"):
            locked.checkpoint(a_state(serial=3))
        with pytest.raises(StateError, match="which is not an entry"):
            store.replace(locked, a_state(an_entry(1, needs=[2])))

    assert before == (folder / "state.json").read_bytes()


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_truncated_document_is_told_with_place_backups_and_way_out(store, folder):
    write(store, a_state(an_entry(1)))
    write(store, a_state(an_entry(1), an_entry(2), serial=1))
    whole = (folder / "state.json").read_bytes()
    (folder / "state.json").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(StateError, match=r"state\.json is damaged: .* at line \d+, column \d+") as told:
        store.load()

    assert "backups/state-000001-20260102T030405Z.json" in told.value.advice
    assert "vpngw state rebuild" in told.value.advice
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="is damaged"):
        locked.checkpoint(a_state(serial=9))
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="is damaged"):
        locked.append(opened())
    assert whole[: len(whole) // 2] == (folder / "state.json").read_bytes(), "a damaged state is never overwritten"


@settings(law, max_examples=25)
@given(length=st.integers(0, 400))
def test_no_prefix_of_a_document_passes_for_a_state(tmp_path_factory, length):
    store = FileStore(tmp_path_factory.mktemp("state"), DEPLOYMENT, BINDING)
    write(store, a_state(an_entry(1)))
    whole = (store.folder / "state.json").read_bytes()
    (store.folder / "state.json").write_bytes(whole[:length])

    with pytest.raises(StateError, match="is damaged"):
        store.load()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"[]", "not a JSON object"),
        (b"{}", "kind None"),
        (b'{"kind": "plan", "format": 1}', "kind 'plan'"),
        (b'{"kind": "state", "format": 1}', "deployment: Field required"),
        (b'{"kind": "state", "kind": "state"}', "'kind' stands there twice"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_state_is_told_for_what_it_is(store, folder, content, told):
    write(store, a_state())
    (folder / "state.json").write_bytes(content)

    with pytest.raises(StateError, match=told):
        store.load()


def test_an_edited_document_with_a_broken_invariant_is_told(store, folder):
    write(store, a_state(an_entry(1), an_entry(2, needs=[1])))
    document = json.loads((folder / "state.json").read_text())
    del document["entries"]["Thing/0001"]
    (folder / "state.json").write_text(json.dumps(document))

    with pytest.raises(StateError, match=r"1 invariant\(s\): Thing/0002 needs .* which is not an entry"):
        store.load()


def test_a_newer_format_is_told_with_both_versions_and_never_replaced(store, folder):
    write(store, a_state())
    document = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps(document | {"format": 3, "written_by": "3.1.4", "new": True}))

    with pytest.raises(StateError, match=r"format 3, written by vpngw 3\.1\.4; this vpngw .* up to 2\.") as told:
        store.load()
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="format 3"):
        store.replace(locked, a_state())

    assert told.value.advice.startswith("Use a newer version (`pip install")
    assert told.value.exit_code is ExitCode.ERROR
    assert json.loads((folder / "state.json").read_text())["format"] == 3


def test_a_lost_document_does_not_look_like_a_new_deployment(store, folder):
    write(store, a_state(an_entry(1)), opened())
    (folder / "state.json").unlink()

    with pytest.raises(StateError, match=r"state\.json is missing, but its journal"):
        store.load()


def test_records_of_one_flush_are_numbered_in_order_and_synced_once(store, folder, monkeypatch):
    synced = []
    sync = os.fsync
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(descriptor) or sync(descriptor))
        numbers = [record.number for record in locked.append_all([begun(number=2), entry_set(1), entry_set(2)])]

    assert (numbers, len(synced)) == ([2, 3, 4], 1)
    assert [record.number for record in store.history()] == [1, 2, 3, 4]
    assert set(store.load().state.entries) == {"Thing/0001", "Thing/0002"}


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_flush_torn_in_the_middle_keeps_the_whole_lines_before(store, folder, kept):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        locked.append_all([entry_set(1), entry_set(2), entry_set(3)])
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: 1 + kept]) + lines[1 + kept][:-30])

    loaded = store.load()

    assert len(loaded.state.entries) == kept
    assert "torn" in loaded.notices[0]
    with store.locked(an_owner("run-2")) as locked:
        assert locked.append(entry_set(9)).number == 2 + kept


def test_a_flush_that_does_not_fit_on_the_disk_leaves_nothing_of_it(store, folder, monkeypatch):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        before = (folder / "journal.jsonl").read_bytes()
        write = os.write

        def full(descriptor, data):
            if len(data) < 400:
                raise OSError(28, "No space left on device")
            return write(descriptor, data[:400])

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StateError, match="No space left"):
            locked.append_all([entry_set(number) for number in range(4)])
        monkeypatch.undo()

        assert (folder / "journal.jsonl").read_bytes() == before
        assert locked.append(entry_set(7)).number == 2


def test_a_torn_last_line_is_ignored_and_told_and_cut_by_the_next_run(store, folder):
    write(store, a_state(), opened(), entry_set(1), entry_set(2))
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])

    loaded = store.load()

    assert (2, {"Thing/0001"}) == (loaded.last, set(loaded.state.entries))
    assert len(loaded.notices) == 1
    assert "line (3)" in loaded.notices[0]
    assert "torn" in loaded.notices[0]
    with store.locked(an_owner()) as locked:
        assert locked.append(entry_set(3)).number == 3
    again = store.load()
    assert (3, {"Thing/0001", "Thing/0003"}, ()) == (again.last, set(again.state.entries), again.notices)


def test_a_last_line_that_lacks_only_its_end_counts(store, folder):
    write(store, a_state(), opened(), entry_set(1))
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-1])

    assert (store.load().last, store.load().notices) == (2, ())
    with store.locked(an_owner()) as locked:
        locked.append(entry_set(2))
    assert store.load().last == 3


def test_a_torn_line_elsewhere_is_damage_told_with_its_line_and_way_out(store, folder):
    write(store, a_state(), opened(), entry_set(1), entry_set(2))
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().split(b"\n")
    lines[1] = lines[1][:30]
    damaged = b"\n".join(lines)
    journal.write_bytes(damaged)

    with pytest.raises(StateError, match=r"journal\.jsonl is damaged at line 2: ") as told:
        store.load()
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="damaged at line 2"):
        locked.append(opened())

    assert "head -n 1" in told.value.advice
    assert damaged == journal.read_bytes()


def test_a_record_of_an_unknown_kind_is_damage(store, folder):
    write(store, a_state(), opened())
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"record":"teleported","number":2,"at":"x"}\n')

    with pytest.raises(StateError, match="damaged at line 2"):
        store.load()


def test_missing_records_are_told_by_number(store, folder):
    write(store, a_state(), opened(), entry_set(1), entry_set(2), entry_set(3))
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)

    journal.write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(StateError, match="damaged at line 2: record 3 follows record 1"):
        store.load()

    journal.write_bytes(b"".join(lines[2:]))
    with pytest.raises(StateError, match=r"with record 0, but .*journal\.jsonl goes on with 3: records 1 to 2 are"):
        store.load()


@settings(law, max_examples=25)
@given(records=journals, data=st.data())
def test_any_prefix_of_the_journal_file_loads(tmp_path_factory, records, data):
    """Wherever a dying process stopped writing, the state before it is there."""
    store = FileStore(tmp_path_factory.mktemp("state"), DEPLOYMENT, BINDING)
    write(store, a_state())
    whole = b"".join(dump_record(record) for record in records)
    (store.folder / "journal.jsonl").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])

    loaded = store.load()

    assert loaded.state.check() == ()
    assert loaded.state == fold(LoadedState(load_state(store.document(), name="x")), records[: loaded.last]).state
    assert all("torn" in notice for notice in loaded.notices)


# --- history, backups, replacing -------------------------------------------------------------------------------------


def test_an_old_document_put_back_catches_up_from_the_history(store, folder):
    write(store, a_state(), opened(), entry_set(1), RunClosed(at=AT, run="run-1", outcome="succeeded", exit_code=0))
    with store.locked(an_owner("run-2")) as locked:
        locked.checkpoint(store.load().state)
        locked.append(entry_set(2))
        locked.checkpoint(store.load().state)
        locked.append(entry_set(3))
    expected = store.load()
    oldest = folder / store.backups()[-1]

    (folder / "state.json").write_bytes(oldest.read_bytes())

    assert expected.state.entries == store.load().state.entries
    assert (expected.last, expected.state.serial) == (store.load().last, store.load().state.serial)


def test_a_crash_between_document_and_new_journal_loses_and_repeats_nothing(store, folder):
    write(store, a_state(), opened(), entry_set(1), entry_set(2))
    journal = (folder / "journal.jsonl").read_bytes()
    with store.locked(an_owner()) as locked:
        locked.checkpoint(store.load().state)
    (closed,) = (folder / "history").iterdir()
    closed.rename(folder / "journal.jsonl")

    loaded = store.load()

    assert (loaded.last, loaded.state.serial) == (3, 2)
    assert journal == (folder / "journal.jsonl").read_bytes()
    with store.locked(an_owner()) as locked:
        assert locked.append(entry_set(4)).number == 4
        locked.checkpoint(store.load().state)
    assert [record.number for record in store.history()] == [1, 2, 3, 4]


def test_the_newest_thirty_documents_are_kept(store):
    with store.locked(an_owner()) as locked:
        for serial in range(40):
            locked.checkpoint(a_state(serial=serial))

    backups = store.backups()
    assert len(backups) == 30
    assert backups[0] == "backups/state-000039-20260102T030405Z.json"
    assert backups[-1] == "backups/state-000010-20260102T030405Z.json"


def test_replacing_keeps_the_previous_document_and_tells_the_journal(store, folder):
    write(store, a_state(an_entry(1), serial=7), opened())

    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, a_state(an_entry(2), serial=3))

    loaded = store.load()
    assert ({"Thing/0002"}, 8) == (set(loaded.state.entries), loaded.state.serial)
    assert "Thing/0001" in (folder / store.backups()[0]).read_text()
    assert isinstance(list(store.history())[-1], StateReplaced)


def test_replacing_with_another_lineage_is_refused(store):
    write(store, a_state(an_entry(1)))
    other = a_state(lineage="44444444-4444-4444-8444-444444444444")

    with store.locked(an_owner()) as locked, pytest.raises(StateMismatch, match="histories of different things"):
        store.replace(locked, other)

    assert {"Thing/0001"} == set(store.load().state.entries)


def test_replacing_a_damaged_state_puts_it_aside_and_goes_on_numbering(store, folder):
    write(store, a_state(an_entry(1)), opened(), entry_set(2))
    (folder / "state.json").write_bytes(b"{ damaged")
    rebuilt = a_state(an_entry(5), lineage="44444444-4444-4444-8444-444444444444")

    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, rebuilt)
        assert locked.append(entry_set(6)).number == 3

    assert {"Thing/0005", "Thing/0006"} == set(store.load().state.entries)
    aside = [name for name in store.backups() if "damaged" in name]
    assert aside == ["backups/damaged-000001-state.json"]
    assert [record.number for record in store.history()] == [1, 2, 3]
    assert (folder / aside[0]).read_bytes() == b"{ damaged"


def test_replacing_a_damaged_journal_puts_it_aside(store, folder):
    write(store, a_state(an_entry(1)), opened(), entry_set(2), entry_set(3))
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"number":2', b'"number":x'))

    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, a_state(an_entry(5)))

    assert set(store.load().state.entries) == {"Thing/0005"}
    assert b'"number":x' in (folder / "backups/damaged-000001-journal.jsonl").read_bytes()
    assert store.load().last == 3


def test_replacing_needs_the_lock_of_the_same_store(store, tmp_path):
    other = FileStore(tmp_path / "other", DEPLOYMENT, BINDING)

    with other.locked(an_owner()) as locked, pytest.raises(UsageError, match="under the lock of its own store"):
        store.replace(locked, a_state())


def test_a_journal_changed_by_something_else_stops_the_run(store, folder):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        with (folder / "journal.jsonl").open("ab") as journal:
            journal.write(b"{}\n")

        with pytest.raises(StateError, match="changed by something else"):
            locked.append(entry_set(1))


def test_a_full_disk_leaves_the_journal_as_it_was(store, folder, tmp_path):
    resource = pytest.importorskip("resource")
    import signal

    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        size = (folder / "journal.jsonl").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
            with pytest.raises(StateError, match="cannot be written"):
                locked.append(entry_set(1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)

        assert size == (folder / "journal.jsonl").stat().st_size
        assert locked.append(entry_set(1)).number == 2
    assert store.load().last == 2


def test_forgetting_by_record_is_remembered(store):
    write(
        store, a_state(an_entry(1), an_entry(2, needs=[1])), EntryRemoved(at=AT, address="Thing/0001", why="forgotten")
    )

    assert {"Thing/0002"} == set(store.load().state.entries)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    store = FileStore(tmp_path / "file" / "below", DEPLOYMENT, BINDING)

    with pytest.raises(StateError, match="cannot be prepared"), store.locked(an_owner()):
        pass


def test_a_folder_that_vanishes_under_a_run_stops_it(store, folder, tmp_path):
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        folder.rename(tmp_path / "away")

        with pytest.raises(StateError) as told:
            locked.append(opened())
        (tmp_path / "away").rename(folder)
    assert "state rebuild" in told.value.advice
    assert store.owner() is None


def test_what_ended_a_run_is_told_though_its_folder_has_vanished_too(store, folder, tmp_path):
    def run():
        with store.locked(an_owner()) as locked:
            locked.checkpoint(a_state())
            folder.rename(tmp_path / "away")
            raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        run()
    (tmp_path / "away").rename(folder)

    assert store.owner() is None
    with store.locked(an_owner("run-2")) as locked:
        assert locked.append(opened()).number == 1


def test_two_holds_in_one_process_exclude_each_other(store):
    with (
        store.locked(an_owner("run-1")),
        pytest.raises(StateLocked, match=r"ada@contoso\.example on runner-7, process 4711"),
        store.locked(an_owner("run-2")),
    ):
        pass


def test_a_folder_without_a_guard_can_still_be_read(store, folder):
    """As a reader who may not write there sees it: nothing is locked, nothing is repaired."""
    write(store, a_state(), opened(), entry_set(1))
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5])
    (folder / "guard").unlink()
    (folder / "guard").mkdir()

    loaded = store.load()

    assert (loaded.last, len(loaded.notices)) == (1, 1)
    assert store.owner() is None


def test_a_journal_of_nothing_but_a_torn_line_is_no_history(store, folder):
    write(store, a_state())
    (folder / "journal.jsonl").write_bytes(b'{"record":"run-op')

    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state(serial=1))
        assert locked.append(opened()).number == 1

    assert list((folder / "history").iterdir()) == []
    assert store.load().last == 1


def test_a_closed_journal_that_ends_torn_is_damage(store, folder):
    write(store, a_state(), opened(), entry_set(1))
    with store.locked(an_owner()) as locked:
        locked.checkpoint(store.load().state)
        locked.append(entry_set(2))
    oldest = (folder / store.backups()[-1]).read_bytes()
    (closed,) = (folder / "history").iterdir()
    closed.write_bytes(closed.read_bytes()[:-9])
    assert store.load().last == 3, "what is in the document is not read again"

    (folder / "state.json").write_bytes(oldest)

    with pytest.raises(StateError, match=r"closed journal .*history.* ends in a torn line \(2\)"):
        store.load()


def test_a_history_that_overlaps_is_told_once(store, folder):
    write(store, a_state(), opened(), entry_set(1))
    journal = folder / "journal.jsonl"
    (folder / "history" / "0000000001-0000000002.jsonl").write_bytes(journal.read_bytes())

    assert [record.number for record in store.history()] == [1, 2]
    assert store.load().last == 2


def test_two_that_need_a_key_at_once_get_the_same(store, folder):
    keys = []
    with FileStore(folder, DEPLOYMENT).locked(an_owner()):
        pass
    threads = [threading.Thread(target=lambda: keys.append(store.key(create=True).secret)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_file_is_never_moved_over_another(tmp_path):
    files = Folder(tmp_path)
    files.replace("a", [b"1"])
    files.replace("b", [b"", b"2"])

    with pytest.raises(StateError, match="exists already"):
        files.move("a", "b")
    with pytest.raises(StateError, match="leads out of the state folder"):
        files.read("../a")
    with pytest.raises(StateError, match=r"cannot be written: File exists"):
        files.replace("a", [b"3"], keep_as="b")

    assert (files.read("a"), files.read("b")) == (b"1", b"2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_text_that_is_no_state_is_named(tmp_path):
    with pytest.raises(StateError, match=r"pushed\.json is not a state: .* at line 1"):
        load_state("{", name="pushed.json")
