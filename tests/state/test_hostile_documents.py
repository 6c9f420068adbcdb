"""A state or journal that somebody edited, cut or made up ends in a clear error with a way out, not a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub_without_gateway
from vpngw_iac.errors import ExitCode, StateError, VpngwError
from vpngw_iac.usecases.state_commands import StateCommands

SITE = "LocalNetworkGateway/hub/berlin"
GROUP = "ResourceGroup/rg-hub"
DEPLOYMENT = hub_without_gateway("berlin")


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    harness = Harness(tmp_path)
    harness.create(DEPLOYMENT)
    return harness


def stored(harness: Harness) -> Path:
    return harness.folder / ".vpngw/state/simulator/hub/state.json"


def edited(harness: Harness, edit: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(stored(harness).read_bytes())
    edit(document)
    return json.dumps(document).encode()


def nested(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


def refused(harness: Harness, data: bytes) -> StateError:
    """What every command says about it; nothing is asked of Azure and nothing is written over it."""
    stored(harness).write_bytes(data)
    harness.mark()
    workspace = harness.workspace()
    for use in (
        lambda: harness.plan(DEPLOYMENT),
        lambda: harness.apply(DEPLOYMENT),
        lambda: StateCommands(workspace, "hub").state(),
        lambda: harness.drift(DEPLOYMENT),
    ):
        with pytest.raises(StateError) as told:
            use()
        assert told.value.exit_code in (ExitCode.ERROR, ExitCode.REFUSED)
        assert told.value.advice
    assert harness.reads() == []
    assert stored(harness).read_bytes() == data
    return told.value


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "ends too early"),
        (b"\0" * 64, "is damaged"),
        (b"[]", "not a JSON object"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"serial":' + b"9" * 5_000 + b"}", "too many digits"),
        ('{"kind": "state"}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_bytes_that_are_no_state_are_damage(harness: Harness, data: bytes, says: str) -> None:
    assert says in refused(harness, data).message


def outputs(inner: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["entries"][SITE].update(applied={"properties": {"x": {"$output": inner}}})


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda d: d["entries"][SITE].update(applied=nested(200)), "nested more than"),
        (lambda d: d["entries"][SITE].update(adopted={"properties.a": nested(200)}), "nested more than"),
        (outputs({"source": 5, "path": "a"}), "not the name of an output"),
        (outputs({"source": "nonsense", "path": "a"}), "not the name of an output"),
        (outputs({"source": "/subscriptions/s/resourceGroups/g"}), "not the name of an output"),
        (lambda d: d["entries"][SITE].update(adopted={"properties.sharedKey": "x"}), "may be a secret's value"),
        (
            lambda d: d["entries"].update({"ResourceGroup/b": d["entries"][GROUP] | {"address": "ResourceGroup/b"}}),
            "same id",
        ),
        (lambda d: d["entries"][GROUP].update(needs=[d["entries"][SITE]["id"]]), "in a circle"),
        (lambda d: d["entries"].pop(GROUP), "which is not an entry"),
        (lambda d: d["entries"][SITE].update(id=5), "is damaged"),
        (lambda d: d.update(entries=[]), "is damaged"),
        (lambda d: d.update(forgotten=["nonsense"]), "is damaged"),
        (lambda d: d.update(lineage="x"), "not a UUID"),
    ],
)
def test_documents_that_break_a_rule_say_which(
    harness: Harness, edit: Callable[[dict[str, Any]], Any], says: str
) -> None:
    assert says in refused(harness, edited(harness, edit)).message


def test_all_broken_rules_are_told_at_once_but_not_a_thousand(harness: Harness) -> None:
    def edit(document: dict[str, Any]) -> None:
        entry = document["entries"].pop(GROUP)
        document["entries"] |= {f"x{n:04}": entry | {"id": f"{entry['id']}{n}"} for n in range(1_000)}
        document["lineage"] = "x"

    told = refused(harness, edited(harness, edit)).message

    assert "not a UUID" in told
    assert "says that its address is" in told
    assert "And " in told
    assert len(told) < 10_000


def test_a_byte_order_mark_is_no_damage(harness: Harness) -> None:
    stored(harness).write_bytes(b"\xef\xbb\xbf" + stored(harness).read_bytes())

    assert harness.plan(DEPLOYMENT).changes == ()


# --- the journal -----------------------------------------------------------------------------------------------------


def journal(harness: Harness, *lines: bytes) -> Path:
    """A live journal after the checkpoint of the last run."""
    path = stored(harness).with_name("journal.jsonl")
    last = json.loads(stored(harness).read_bytes())["journal"]["last"]
    opened = {"record": "run-opened", "run": "r", "command": "apply", "actor": "", "correlation": "", "version": ""}
    first = json.dumps(opened | {"number": last + 1, "at": "2026-01-01T00:00:00Z"}).encode()
    path.write_bytes(b"\n".join([first, *lines]))
    return path


@pytest.mark.parametrize(
    "line", [b"\0\0\0", b'{"number":' + b"9" * 5_000 + b"}", b'{"a":' * 50_000, b"[]", b'{"record": "run-op']
)
def test_a_torn_last_line_is_ignored_and_told_whatever_it_is(harness: Harness, line: bytes) -> None:
    journal(harness, line)

    loaded = harness.workspace().session(DEPLOYMENT).store().load()

    assert loaded is not None
    assert any("was torn" in notice and "ignored" in notice for notice in loaded.notices)
    assert loaded.state.check() == ()


@pytest.mark.parametrize("line", [b"\0\0\0", b'{"number":' + b"9" * 5_000 + b"}", b'{"a":' * 50_000, b"[]"])
def test_a_torn_line_elsewhere_is_damage_that_names_the_line(harness: Harness, line: bytes) -> None:
    path = journal(harness, line, b"")

    with pytest.raises(StateError, match="is damaged at line 2") as told:
        harness.plan(DEPLOYMENT)

    assert told.value.exit_code is ExitCode.ERROR
    assert "head -n 1" in told.value.advice
    assert path.read_bytes().endswith(line + b"\n")


def test_an_open_operation_whose_entry_breaks_a_rule_is_told_before_it_is_resumed(harness: Harness) -> None:
    entry = json.loads(stored(harness).read_bytes())["entries"][SITE]
    last = json.loads(stored(harness).read_bytes())["journal"]["last"]
    begun = {
        "record": "begun",
        "number": last + 2,
        "at": "2026-01-01T00:00:00Z",
        "operation": "o",
        "address": SITE,
        "step": "put",
        "verb": "put",
        "id": entry["id"],
        "etag": "absent",
        "digest": "",
        "process": "h:1",
        "run": "r",
        "entry": entry | {"applied": {"properties": {"x": {"$output": {"source": "nonsense", "path": "a"}}}}},
    }
    journal(harness, json.dumps(begun).encode(), b"")

    with pytest.raises(VpngwError, match="The open operation on LocalNetworkGateway/hub/berlin"):
        harness.apply(DEPLOYMENT)
