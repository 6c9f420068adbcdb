"""Whatever was stored once is read by every later version: state, open journal and saved plan of format 1."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite, running_azurite
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.errors import ExitCode, PlanError, StalePlan, StateNewer
from vpngw_iac.report.view import PlanView
from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.state.document import dump_record, load_journal, load_state
from vpngw_iac.state.journal import LoadedState, RunOpened
from vpngw_iac.state.model import FORMAT
from vpngw_iac.state.store import Owner
from vpngw_iac.usecases.state_commands import StateCommands
from vpngw_iac.usecases.workspace import Workspace

WRITTEN = Path(__file__).with_name("format1")
STATE = Path(".vpngw/state/simulator/contoso")


def _network() -> Any:
    spec = importlib.util.spec_from_file_location("network_of_format1", WRITTEN / "network.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


network = _network()


class ChaosHarness:
    """A folder in which an earlier version worked, and the simulator as it was then."""

    def __init__(self, folder: Path, case: str, state: str | None = None) -> None:
        self.folder = folder
        self.url = state
        (folder / STATE.parent).mkdir(parents=True)
        shutil.copytree(WRITTEN / case / "simulator", folder / ".vpngw" / "simulator")
        if state is None:
            shutil.copytree(WRITTEN / case / "state", folder / STATE)
        time = VirtualTime()
        self.simulator = Simulator(directory=folder / ".vpngw" / "simulator", time=time)
        self.clock = VirtualClock(start=time.now())
        self.clock.on_advance(time.advance_to)

    def workspace(self, keys: dict[str, str] | None = None) -> Workspace:
        return Workspace(
            "simulator",
            directory=self.folder,
            state=self.url,
            environment={"AZURE_STORAGE_KEY": ACCOUNT_KEY} | (keys or network.ROTATED),
            clock=self.clock,
            simulator=self.simulator,
        )

    def remembered(self) -> LoadedState:
        loaded = self.workspace().session(network.deployed).store().load()
        assert loaded is not None
        return loaded

    def writes(self) -> list[str]:
        """``METHOD name`` of every write."""
        found = (logged for logged in self.simulator.requests if logged.method in {"PUT", "DELETE", "PATCH"})
        return [f"{logged.method} {logged.path.partition('?')[0].rpartition('/')[2]}" for logged in found]


def harness(folder: Path, case: str) -> ChaosHarness:
    return ChaosHarness(folder, case)


def succeeded(outcome: Outcome) -> None:
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]


# --- state -----------------------------------------------------------------------------------------------------------


def test_a_deployed_state_is_read_and_nothing_changes(tmp_path: Path) -> None:
    at = harness(tmp_path, "deployed")

    plan = at.workspace(network.KEYS).plan(network.deployed)

    assert at.remembered().state.check() == ()
    assert len(at.remembered().state.entries) > 20
    assert [(change.address, str(change.action)) for change in plan.changes] == []
    assert plan.blocking == ()


def test_nothing_of_a_deployed_state_has_drifted(tmp_path: Path) -> None:
    found = harness(tmp_path, "deployed").workspace(network.KEYS).drift(network.deployed, deep=True)

    assert not found.alarming


def test_the_history_of_runs_is_read(tmp_path: Path) -> None:
    runs = harness(tmp_path, "open").workspace().history(network.deployed)

    assert [(run.command, run.outcome) for run in runs] == [("apply", "succeeded"), ("apply", "unfinished")]


def test_a_document_in_hand_is_pushed(tmp_path: Path) -> None:
    at = harness(tmp_path, "deployed")
    text = (WRITTEN / "deployed/state/state.json").read_text()

    StateCommands(at.workspace(), "contoso").push(text, "state.json")

    assert at.remembered().state.entries == load_state(text, name="state.json").entries
    assert at.workspace(network.KEYS).plan(network.deployed).changes == ()


def test_every_field_of_every_kind_of_record_is_read() -> None:
    data = (WRITTEN / "records.jsonl").read_bytes()
    lines = [json.loads(line) for line in data.splitlines()]

    records = load_journal(data).records

    assert len(records) == len({line["record"] for line in lines}) == 9
    for line, record in zip(lines, records, strict=True):
        assert _missing(line, json.loads(dump_record(record))) == []


def _missing(before: Any, after: Any, path: str = "") -> list[str]:
    """Paths whose value is another one now, but for the format itself and what has died since."""
    if path.endswith((".format", ".detached")):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [lost for name, value in before.items() for lost in _missing(value, after.get(name), f"{path}.{name}")]
    return [] if before == after else [path]


# --- an open journal -------------------------------------------------------------------------------------------------


def test_a_journal_with_an_operation_of_each_verb_in_flight_is_continued(tmp_path: Path) -> None:
    at = harness(tmp_path, "open")
    assert sorted(flight.begun.verb for flight in at.remembered().in_flight.values()) == ["act", "delete", "put", "tag"]

    succeeded(at.workspace().apply(network.edited))

    assert at.remembered().in_flight == {}
    assert at.workspace().plan(network.edited).changes == ()
    assert "PUT lgw-madrid" not in at.writes()
    assert "DELETE con-oslo" not in at.writes()
    assert "PATCH lgw-paris" not in at.writes()


def test_a_journal_is_waited_for(tmp_path: Path) -> None:
    at = harness(tmp_path, "open")

    at.workspace().wait(network.edited)

    assert at.remembered().in_flight == {}
    assert at.writes() == []


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with running_azurite() as server:
        yield server


def test_a_journal_in_blobs_is_continued(tmp_path: Path, azurite: Azurite) -> None:
    from azure.storage.blob import ContainerClient

    container = azurite.new_container()
    with ContainerClient(azurite.endpoint, container, credential=ACCOUNT_KEY) as client:
        for file in sorted((WRITTEN / "blobs/state").rglob("*")):
            name = f"network/simulator/contoso/{file.relative_to(WRITTEN / 'blobs/state')}"
            if file.suffix == ".jsonl":
                client.get_blob_client(name).create_append_blob()
                client.get_blob_client(name).append_block(file.read_bytes())
            elif file.is_file():
                client.upload_blob(name, file.read_bytes())
    at = ChaosHarness(tmp_path, "blobs", f"azblob://{ACCOUNT}/{container}/network?endpoint={azurite.endpoint}")
    assert sorted(flight.begun.verb for flight in at.remembered().in_flight.values()) == ["act", "delete", "put", "tag"]

    succeeded(at.workspace().apply(network.edited))

    assert at.remembered().written_in == FORMAT
    assert at.workspace().plan(network.edited).changes == ()
    assert "PUT lgw-madrid" not in at.writes()


# --- a saved plan ----------------------------------------------------------------------------------------------------


def plan_file(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((WRITTEN / "plan.json").read_text())
    return read | changes


def test_a_saved_plan_is_applied(tmp_path: Path) -> None:
    at = harness(tmp_path, "deployed")
    workspace = at.workspace()

    succeeded(workspace.apply(workspace.load_plan(plan_file())))

    assert at.workspace().plan(network.edited).changes == ()
    assert "PUT con-madrid" in at.writes()


def test_a_saved_plan_is_shown() -> None:
    view = PlanView.load(plan_file())

    assert {change.address.rpartition("/")[2] for change in view.changes} >= {"madrid", "oslo", "rome", "paris"}


def test_an_edited_plan_of_an_earlier_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StalePlan):
        harness(tmp_path, "deployed").workspace().load_plan(plan_file(deployment="contoso", note="added"))


# --- what is written now, and what a later version wrote -------------------------------------------------------------


def test_the_document_is_of_our_format_before_the_journal_is(tmp_path: Path) -> None:
    """An older version reads the document first and says that it is too old; our records it would call damaged."""
    at = harness(tmp_path, "deployed")
    store = at.workspace().session(network.deployed).store()
    owner = Owner(run="r", actor="a", host="h", process=1, since="2026-01-01T00:00:00Z", command="c")

    with store.locked(owner) as locked:
        locked.append(
            RunOpened(at="2026-01-01T00:00:00Z", run="r", command="c", actor="a", correlation="", version="1")
        )

    folder = tmp_path / STATE
    assert json.loads((folder / "state.json").read_text())["format"] == FORMAT
    assert json.loads((folder / "journal.jsonl").read_text())["format"] == FORMAT
    kept = [json.loads(file.read_text())["format"] for file in (folder / "backups").glob("*.json")]
    assert kept == [1, 1]
    assert at.remembered().state.entries


def test_a_new_plan_file_is_of_our_format_and_what_is_printed_is_not(tmp_path: Path) -> None:
    from vpngw_iac.report.json import plan_document, state_document

    at = harness(tmp_path, "deployed")
    workspace = at.workspace()
    plan = workspace.plan(network.edited)
    shown = plan_document(PlanView.of(plan, workspace.schedule(plan)))

    assert workspace.save_plan(plan, shown)["format"] == FORMAT
    assert shown["format"] == 1
    assert state_document(at.remembered().state)["format"] == 1


def test_a_later_journal_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    at = harness(tmp_path, "open")
    journal = tmp_path / STATE / "journal.jsonl"
    *before, last = journal.read_text().splitlines()
    later = json.loads(last) | {"format": FORMAT + 1, "record": "something-new", "what": "nobody knows"}
    journal.write_text("\n".join([*before, json.dumps(later), ""]))
    files = {file: file.read_bytes() for file in (tmp_path / STATE).rglob("*.json*")}

    with pytest.raises(StateNewer, match=rf"line {len(before) + 1}, has format {FORMAT + 1}") as told:
        at.workspace().plan(network.edited)
    with pytest.raises(StateNewer):
        at.workspace().apply(network.edited)
    with pytest.raises(StateNewer):
        StateCommands(at.workspace(), "contoso").push((WRITTEN / "open/state/state.json").read_text(), "state.json")
    with pytest.raises(StateNewer):
        at.workspace().history(network.edited)

    assert told.value.exit_code is ExitCode.ERROR
    assert told.value.advice.startswith("Use a newer version")
    assert {f: f.read_bytes() for f in files if f.name != "lock.json"} == {
        f: data for f, data in files.items() if f.name != "lock.json"
    }


def test_a_later_plan_is_refused(tmp_path: Path) -> None:
    later = plan_file(format=FORMAT + 1)
    for read in (harness(tmp_path, "deployed").workspace().load_plan, PlanView.load):
        with pytest.raises(PlanError, match=f"format {FORMAT + 1}") as told:
            read(later)
        assert told.value.exit_code is ExitCode.ERROR
        assert told.value.advice.startswith("Use a newer version")


def test_the_lock_of_a_later_version_is_read() -> None:
    known = json.loads((WRITTEN / "open/state/lock.json").read_text())

    assert Owner.model_validate(known | {"boot": "what a later version adds"}).host == "runner-7"
