"""Texts with escapes in every free text of a blueprint, of Azure's answers and of errors go through every command."""

from __future__ import annotations

import copy
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.blueprints.mutations import places, value_at
from tests.cli.conftest import CANARY, HUB, ROOT, SPEED, Shell
from tests.hostile import EVERYTHING, TEXTS, harm_in
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import VpngwError
from vpngw_iac.report.json import log_document, outcome_document
from vpngw_iac.report.json_documents import dumps, error_document
from vpngw_iac.report.progress import PlainProgress
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.errors import error_text
from vpngw_iac.report.text.inspection import history_text
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.simulator import Fault, ScaledTime, Simulator, VirtualTime
from vpngw_iac.usecases.workspace import Workspace

CASES = sorted((ROOT / "tests" / "cases" / "compile").rglob("*.yaml"))
LOOKS = (
    ("validate",), ("validate", "--json"), ("validate", "--format", "json"), ("validate", "--format", "sarif"),
    ("compile",), ("compile", "--json"),
    *(("graph", "--of", of, "--format", form)
      for of in ("topology", "operations") for form in ("mermaid", "dot", "svg")),
)  # fmt: skip
EVERYWHERE = (
    ("plan",), ("plan", "--json"), ("plan", "-o", "plan.json"), ("show", "plan.json"), ("apply", "--yes"),
    ("apply", "--yes", "--json"), ("plan", "--destroy"), ("drift",), ("drift", "--deep", "--json"), ("show",), ("log",),
    ("log", "--json"), ("state", "list"), ("state", "pull"), ("secret", "check"), ("wait",), ("destroy", "--yes"),
)  # fmt: skip


def content_of(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))["blueprint"]
    return dict(found) if isinstance(found, dict) else {}


def texts_of(document: Any) -> Iterator[tuple[Any, ...]]:
    """Where a text stands, but for the kind and for what chooses between models."""
    for at in places(document):
        if isinstance(value_at(document, at), str) and at[-1] not in ("kind", "source"):
            yield at


def with_text(document: Any, at: tuple[Any, ...], text: str) -> Any:
    changed = copy.deepcopy(document)
    value_at(changed, at[:-1])[at[-1]] = text
    return changed


def spelled(at: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(step) for step in at if isinstance(step, str))


@cache
def first_places() -> dict[Path, list[tuple[Any, ...]]]:
    """Each text that a kind of blueprint knows, in the first case that has one there: the others would say the same."""
    found: dict[Path, list[tuple[Any, ...]]] = {path: [] for path in CASES}
    seen = set()
    for path in CASES:
        document = content_of(path)
        for at in texts_of(document):
            if (known := (document.get("kind"), spelled(at))) not in seen:
                seen.add(known)
                found[path].append(at)
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_text_of_a_blueprint_reaches_an_answer_as_it_is(path: Path, vpngw: Shell) -> None:
    """Refused or accepted: each text in turn, then all that are accepted at once, through what needs no cloud."""
    document = content_of(path)
    for at in first_places()[path]:
        write(vpngw, with_text(document, at, EVERYTHING))
        judge(vpngw, ("validate",))
    everything = all_accepted(document, vpngw.directory / "all.json")
    write(vpngw, everything)
    for command in LOOKS:
        judge(vpngw, command)


def all_accepted(document: Any, file: Path) -> Any:
    """The document with a hostile text wherever one can stand, tags and waivers included."""
    for at in texts_of(document):
        for text in (EVERYTHING, *TEXTS.values()):
            tried = with_text(document, at, text)
            if is_loaded(tried, file):
                document = tried
                break
    for at in (at for at in places(document) if at[-1] in ("networks", "gateways", "sites", "circuits")):
        for key in list(value_at(document, at)) if isinstance(value_at(document, at), dict) else ():
            tried = copy.deepcopy(document)
            value_at(tried, at)[key]["tags"] = dict.fromkeys((EVERYTHING[:400], "a"), EVERYTHING[:200])
            document = tried if is_loaded(tried, file) else document
    tried = copy.deepcopy(document) | {"waive": {"R-AA-03": EVERYTHING, "R-SUBNET-02": EVERYTHING}}
    return tried if is_loaded(tried, file) else document


def is_loaded(document: Any, file: Path) -> bool:
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        load(file)
    except VpngwError:
        return False
    return True


def write(shell: Shell, document: Any) -> None:
    shell.write("evil.json", json.dumps(document))


def judge(shell: Shell, command: tuple[str, ...], file: str = "evil.json") -> None:
    """Run a command; whatever it says is harmless, and is the format that it claims to be."""
    target = [] if any(word.endswith("plan.json") for word in command[1:2]) else [file]
    answer = shell(*command, *target)
    told = answer.out + answer.err
    assert harm_in(answer.out) == [], (command, told)
    assert harm_in(answer.err) == [], (command, told)
    assert "bug in vpngw" not in told, told
    told.encode()
    if "--json" in command or "sarif" in command or "json" in command:
        json.loads(answer.out)
    if "svg" in command and answer.code == 0:
        ET.fromstring(answer.out)


IN_AZURE = TEXTS["commands"] + TEXTS["terminal codes"] + TEXTS["directions"] + TEXTS["legacy commands"]
NAME = "e\x1b[31m\u202e\r##[group]\x9b\u2028::add-mask::x"
"""What a name in an ARM id can hold."""


def hostile_hub() -> dict[str, Any]:
    """The hub with hostile texts in its tags, its waiver and its site's names for the device."""
    document: dict[str, Any] = yaml.safe_load(HUB)
    document["networks"]["hub"]["tags"] = {"owner": IN_AZURE[:200], "x\n::add-mask::y \u202e##[a]": "v"}
    document["waive"] = {"R-AA-03": EVERYTHING}
    return document


def simulated(shell: Shell) -> Any:
    """The simulated cloud of the shell, to change behind its back."""
    return Simulator(shell.directory / ".vpngw" / "simulator", time=ScaledTime(float(SPEED)))


def test_a_whole_life_with_hostile_texts(vpngw: Shell, environment: dict[str, str]) -> None:
    environment["GITHUB_ACTOR"] = "eve" + IN_AZURE.replace("\0", "")
    environment["GITHUB_STEP_SUMMARY"] = str(vpngw.directory / "summary.md")
    write(vpngw, hostile_hub())

    for command in EVERYWHERE:
        judge(vpngw, command)
        if command == ("apply", "--yes"):
            judge(vpngw, ("state", "show", "VirtualNetwork/vnet-hub"))

    page = Path(environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert harm_in(page) == []
    assert "gnp.exe" in page


def test_what_somebody_wrote_in_azure_is_harmless_in_drift_and_plan(vpngw: Shell) -> None:
    write(vpngw, hostile_hub())
    vpngw("apply", "evil.json", "--yes", code=0)
    cloud = simulated(vpngw)
    for identifier, body in cloud.documents().items():
        if identifier.rsplit("/", 2)[-2] in ("virtualNetworks", "publicIPAddresses"):
            cloud.put(identifier, body | {"tags": {**body.get("tags", {}), "owner": f"not{IN_AZURE}"}})

    for command in (("drift",), ("drift", "--json"), ("plan",), ("plan", "--json"), ("show",), ("state", "list")):
        judge(vpngw, command)
    assert "set-output" in vpngw("drift", "evil.json", code=2).out


SAYS = {"code": NAME, "message": IN_AZURE}
FAULTS: dict[str, dict[str, Any]] = {
    "a refusal": {"method": "PUT", "effect": {"do": "answer", "status": 400, **SAYS, "code": "Bad\n::x::"}},
    "a refusal of reading": {"method": "GET", "effect": {"do": "answer", "status": 403, **SAYS}},
    "no permission": {
        "method": "PUT",
        "effect": {
            "do": "answer", "status": 403, "code": "AuthorizationFailed",
            "message": f"The client does not have authorization to perform action '{IN_AZURE}' over scope '{IN_AZURE}'",
        },
    },
    "a late failure": {"path": "*/virtualNetworkGateways/*", "effect": {"do": "fail", **SAYS}},
    "trouble": {"method": "PUT", "effect": {"do": "answer", "status": 500, "message": IN_AZURE}},
    "busy": {
        "method": "PUT",
        "effect": {"do": "answer", "status": 429, "code": NAME, "message": IN_AZURE, "retry_after": 1},
    },
    "a page": {"method": "GET", "effect": {"do": "answer", "status": 404, "html": True, "message": IN_AZURE}},
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_what_azure_says_is_harmless(what: str, tmp_path: Path) -> None:
    """In the log of the run, in its outcome or error, in the history, and in the documents of all of them."""
    file = tmp_path / "evil.json"
    file.write_text(json.dumps(hostile_hub()), encoding="utf-8")
    blueprint, clock, time, log = load(file).blueprint, VirtualClock(), VirtualTime(), io.StringIO()
    cloud = Simulator(time=time, faults=[Fault.model_validate({"times": 40} | FAULTS[what])])
    clock.on_advance(time.advance_to)
    harness = Workspace(
        "simulator", directory=tmp_path, simulator=cloud, clock=clock, environment={"BERLIN_PSK": CANARY}
    )
    progress, told = PlainProgress(log, Style()), []
    for _ in range(2):
        try:
            outcome = harness.apply(blueprint, on_event=progress)
            told += [outcome_text(outcome, Style()), dumps(outcome_document(outcome))]
        except VpngwError as error:
            told += [error_text(error, Style()), dumps(error_document(error))]
    history = harness.history(blueprint)
    told += [history_text("hub", history, Style()), dumps(log_document("hub", history)), log.getvalue()]

    assert all(harm_in(text) == [] for text in told), told
    assert any("gnp.exe" in text for text in told) or what == "a page"


# --- names that people give on the command line, and files ------------------------------------------------------------

NAMES = (NAME, "\n::error::x.yaml", "a\udcffb.yaml", "\x1b]0;x\x07.py", "##[error].json", "\u202eyp.x.py")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_name_on_the_command_line_is_told_harmlessly(vpngw: Shell, name: str) -> None:
    for command in (
        ("plan", name), ("validate", name), ("validate", name, "--json"), ("apply", name, "--yes"), (name,),
        ("plan", "hub.yaml", name), ("plan", "hub.yaml", "--adopt", name), ("plan", "hub.yaml", "--target", name),
        ("plan", "hub.yaml", "--replace", name), ("plan", "hub.yaml", "--env-file", name), ("rule", name),
        ("plan", "hub.yaml", "--cloud", name), ("plan", "hub.yaml", "--deployment", name),
        ("plan", "hub.yaml", "--subscription", name), ("plan", "hub.yaml", "-g", name), ("state", "show", name),
        ("state", "mv", name, name, "hub.yaml"), ("state", "forget", name, "hub.yaml"), ("state", "push", name),
        ("plan", "hub.yaml", "-o", f"{name}/x"), ("plan", "hub.yaml", "-o", name[:40].replace("/", "")),
        ("plan", f"hub.yaml:{name}"), ("simulator", "provision", name), ("simulator", "show", "--dir", name),
        ("plan", "hub.yaml", "--state", name), ("plan", "hub.yaml", "--max-outage", name), ("state", name),
        ("graph", "hub.yaml", "--format", name), ("plan", "hub.yaml", "--profile", name),
    ):  # fmt: skip
        answer = vpngw(*command)

        assert harm_in(answer.out) == [], (command, answer.out)
        assert harm_in(answer.err) == [], (command, answer.err)
        assert "bug in vpngw" not in answer.err, (command, answer.err)
        assert "Traceback" not in answer.err


PYTHON = {
    "an exception": f"raise ValueError({EVERYTHING!r})",
    "a name": f"raise KeyError({IN_AZURE!r})",
    "a missing module": f"raise ModuleNotFoundError({IN_AZURE!r}, name={IN_AZURE!r})",
    "a syntax error": "x = '\x1b[31m\u202e ::add-mask::y ##[error]z\u2066' = 1",
    "a wrong value": f"import vpngw_iac as v\nblueprint = v.SiteToSite(name={IN_AZURE!r})",
    "a wrong field": f"import vpngw_iac as v\nblueprint = v.VirtualNetwork(**{{{IN_AZURE!r}: 1}})",
    "a wrong name": f"globals()[{IN_AZURE!r}] = 1\nblueprints = [1]",
    "an exit": f"raise SystemExit({IN_AZURE!r})",
    "an error of ours": f"import vpngw_iac.errors as e\nraise e.BlueprintError({IN_AZURE!r}, advice={IN_AZURE!r})",
}
YAML = {
    "a key": f"kind: SiteToSite\n{json.dumps(IN_AZURE)}: 1\n",
    "a kind": f"kind: {json.dumps(IN_AZURE)}\n",
    "not YAML": "kind: [\u202e ##[error]x ::add-mask::y\n",
    "a control character": "kind: \x1b[31m\n",
    "a name of a value": f"kind: SiteToSite\nname: hub\ngateway: {json.dumps(IN_AZURE)}\n",
    "a tag of YAML": "kind: !!python/object:\u202e ::add-mask::y\n",
    "an anchor": "kind: *\u202e##[error]\n",
}


@pytest.mark.parametrize("what", [*PYTHON, *YAML])
def test_what_a_file_says_is_harmless(vpngw: Shell, what: str) -> None:
    name = "bad.py" if what in PYTHON else "bad.yaml"
    vpngw.write(name, {**PYTHON, **YAML}[what])

    for command in (
        ("validate",),
        ("validate", "--json"),
        ("validate", "--format", "sarif"),
        ("plan",),
        ("apply", "--yes"),
    ):
        judge(vpngw, command, name)


def test_a_traceback_is_harmless(vpngw: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    vpngw.write(
        "bad.py",
        f"from vpngw_iac.usecases.settings import Settings\nSettings.arguments = lambda self: {{{IN_AZURE!r}: 1}}",
    )

    answer = vpngw("plan", "hub.yaml", "--verbose", "--env-file", NAME)

    assert harm_in(answer.err) == []


def test_variables_and_settings_are_told_harmlessly(vpngw: Shell, environment: dict[str, str]) -> None:
    vpngw.write(".env", f"VPNGW_CLOUD={json.dumps(IN_AZURE)}\n")
    told = [vpngw("plan", "hub.yaml", "--env-file", ".env")]
    vpngw.write("vpngw.toml", f"{json.dumps('a' + chr(0x202E))} = 1\n")
    told.append(vpngw("plan", "hub.yaml"))
    vpngw.write("vpngw.toml", f"simulator_speed = {json.dumps(IN_AZURE)}\n".replace("\\/", "/"))
    told.append(vpngw("plan", "hub.yaml"))
    (vpngw.directory / "vpngw.toml").unlink()
    environment["BERLIN_PSK"] = "a\udcffb" * 10
    told += [vpngw("apply", "hub.yaml", "--yes"), vpngw("secret", "check", "hub.yaml")]

    for answer in told:
        assert harm_in(answer.out + answer.err) == []
        assert "bug in vpngw" not in answer.err
    assert "UTF-8" in told[-1].out
