"""Every free text of everything that a report is given is hostile; what is said does no harm."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import io
import json
import pkgutil
import typing
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from tests.hostile import EVERYTHING, TEXTS, harm_in
from tests.report.test_other_reports import FINDINGS, SECRETS, drift, errors, inventory, outcomes, runs, state
from tests.report.test_plan_reports import destruction, view_of
from tests.report.test_progress import EVENTS
from tests.report.worlds import busy_plan, creation, hub, schedule_of
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.reading.notes import Account, MissingSecret
from vpngw_iac.engine.plan.rebuild import Rebuilt
from vpngw_iac.errors import Finding
from vpngw_iac.export.exported import Exported
from vpngw_iac.report import formatting, json_documents
from vpngw_iac.report import json as documents
from vpngw_iac.report import text as folder
from vpngw_iac.report.drawing import Box, operations, topology
from vpngw_iac.report.findings.sarif import sarif
from vpngw_iac.report.fleet_progress import LiveFleetProgress, PlainFleetProgress
from vpngw_iac.report.markdown import cell, code, drift_markdown, plan_markdown
from vpngw_iac.report.pictures.dot import render as dot
from vpngw_iac.report.pictures.mermaid import render as mermaid
from vpngw_iac.report.pictures.svg import render as svg
from vpngw_iac.report.progress import LiveProgress, PlainProgress
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.fleet import fleet_question
from vpngw_iac.secret import EnvironmentSecret
from vpngw_iac.text import plain
from vpngw_iac.usecases.imported import Imported
from vpngw_iac.usecases.project import Project
from vpngw_iac.usecases.state_init import StatePlace
from vpngw_iac.verify.diagnosis import Diagnosis, DiagnosisReport, Gap, PeerParameter, PeerSheet, WalkStep

MODULES = [importlib.import_module(f"{folder.__name__}.{each.name}") for each in pkgutil.iter_modules(folder.__path__)]
FUNCTIONS = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if getattr(function, "__module__", "") == module.__name__
    if name == "question" or (name.endswith("_text") and not name.startswith("_"))
}
texts = SimpleNamespace(**FUNCTIONS)
"""Every report as text."""

PLAIN, COLOURED = Style(), Style(colour=True)
IN_A_NAME = "::add-mask::y\r##[group]z\x1b[2J\u202e\u200b\u2028\x9b\ud800"
"""What an id can hold: no slash, no line feed."""


def poisoned(value: Any, text: str, hint: Any = str) -> Any:
    """The same value with the text after every free text; what is one of a few words stays."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value if _is_a_word(hint) else value + text
    if isinstance(value, ArmId):
        return ArmId(value.text + IN_A_NAME)
    if isinstance(value, Mapping):
        keys = (typing.get_args(hint) or (str,))[0]
        return {poisoned(k, text, keys): poisoned(item, text) for k, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        hints = typing.get_type_hints(type(value))
        return type(value)(*(poisoned(getattr(value, n), text, hints[n]) for n in value._fields))
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(poisoned(item, text, (typing.get_args(hint) or (str,))[0]) for item in value)
    return _poisoned_fields(value, text)


def _is_a_word(hint: Any) -> bool:
    return typing.get_origin(hint) is Literal or any(typing.get_origin(a) is Literal for a in typing.get_args(hint))


def _poisoned_fields(value: Any, text: str) -> Any:
    if isinstance(value, BaseException):
        twin = copy.copy(value)
        twin.__dict__.update({name: poisoned(item, text) for name, item in value.__dict__.items()})
        return twin
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    else:
        names = list(getattr(type(value), "model_fields", ()))
    if not names:
        return value
    twin = copy.copy(value)
    hints = typing.get_type_hints(type(value), localns={"Resource": Any, "Existing": Any})
    for name in (name for name in names if (type(value), getattr(value, name)) != (Box, "")):
        object.__setattr__(twin, name, poisoned(getattr(value, name), text, hints.get(name)))
    return twin


def findings(text: str) -> Any:
    return tuple(poisoned(dataclasses.replace(f, waived=f.waived), text) for f in FINDINGS)


IMPORTED = Imported(
    deployment="hub",
    file="blueprint.py",
    text="",
    accounts=(Account(ArmId("/subscriptions/s/resourceGroups/rg"), "used", "it is only used"),),
    secrets=(MissingSecret(EnvironmentSecret(name="PSK"), "pre-shared key of con"),),
    differing=("VpnGateway/hub: update",),
    broken=("VpnConnection/hub/berlin",),
    unread=("the circuit",),
    waived=("R-SKU-01",),
    terraform=("terraform state rm a",),
)
EXPORTED = Exported(
    deployment="hub",
    scope="group",
    place="rg-hub",
    subscription="",
    location="westeurope",
    templates={"hub.json": {}, "more.json": {}},
    parameters_files={"hub.parameters.json": {}},
    parameters={"key": EnvironmentSecret(name="PSK")},
    given={"hub.json": ("key",)},
    before=("az group create",),
    unsaid=("a lock",),
    commands=("az deployment group create",),
    refusals=(Finding("R-SKU-01", address="VpnGateway/hub", summary="Refused", detail="No.", advice="Do."),),
)
PLANS: Mapping[str, Any] = {"creation": lambda: creation(hub(2)), "busy": busy_plan, "destruction": destruction}
REPORTS: dict[str, Callable[[str, Style], str]] = {
    **{
        f"plan {name}": lambda text, style, make=make: texts.plan_text(poisoned(view_of(make()), text), style)  # type: ignore[misc]
        for name, make in PLANS.items()
    },
    **{
        f"Markdown of plan {name}": lambda text, style, make=make: plan_markdown(poisoned(view_of(make()), text))  # type: ignore[misc]
        for name, make in PLANS.items()
    },
    "question": lambda text, style: texts.question(poisoned(view_of(creation(hub(1))), text)) + "\n",
    "drift": lambda text, style: texts.drift_text(poisoned(drift(), text), style),
    "Markdown of drift": lambda text, style: drift_markdown(poisoned(drift(), text)),
    "inventory": lambda text, style: texts.inventory_text(poisoned(inventory(), text), style),
    "history": lambda text, style: texts.history_text(f"d{text}", poisoned(runs(), text), style),
    "findings": lambda text, style: texts.findings_text(findings(text), style, checked=text),
    "findings of an iterator": lambda text, style: texts.findings_text(iter(findings(text)), style, checked=text),
    "secrets": lambda text, style: texts.secrets_text(poisoned(SECRETS, text), style),
    "entries": lambda text, style: texts.entries_text(poisoned(state(), text), style),
    "entry": lambda text, style: "".join(
        texts.entry_text(poisoned(entry, text), style) for entry in state().entries.values()
    ),
    "rebuilt": lambda text, style: texts.rebuilt_text(
        text, poisoned(Rebuilt(state(), ("a",), ("b",), {"c": "d"}, ("e",)), text), style
    ),
    "imported": lambda text, style: texts.imported_text(poisoned(IMPORTED, text), style),
    "documents": lambda text, style: texts.documents_text({text: {"properties": {"provisioningState": text}}}),
    "schedule": lambda text, style: texts.schedule_text(text, poisoned(schedule_of(creation(hub(2))), text), style),
    **{
        f"outcome {name}": lambda text, style, one=one: texts.outcome_text(poisoned(one, text), style)  # type: ignore[misc]
        for name, one in outcomes().items()
    },
    "fleet_plans": lambda text, style: texts.fleet_plans_text(
        {f"a{text}": poisoned(view_of(creation(hub(1))), text)}
        | {f"{name}{text}": poisoned(one, text) for name, one in errors().items()},
        style,
    ),
    "fleet_outcomes": lambda text, style: texts.fleet_outcomes_text(
        {f"{name}{text}": poisoned(one, text) for name, one in outcomes().items()}, style
    ),
    "fleet_drift": lambda text, style: texts.fleet_drift_text({f"a{text}": poisoned(drift(), text)}, style),
    "fleet_question": lambda text, style: fleet_question([poisoned(view_of(creation(hub(1))), text)]) + "\n",
    "project": lambda text, style: texts.project_text(
        Project(
            Path(text), text, text, (text,), (text,), {text: text}, (text,), (text,), imported=poisoned(IMPORTED, text)
        ),
        style,
    ),
    "initial": lambda text, style: texts.initial_text(
        StatePlace(text, text, made=(text,), warnings=(text,), hints=(text,), key=text), style
    ),
    "diagnosis": lambda text, style: texts.diagnosis_text(
        DiagnosisReport(
            text,
            (Diagnosis(text, text, text, (WalkStep("connection", "wrong", text),), ("key",), gaps=(Gap(text, text),)),),
            up=(text,),
            notices=(text,),
            sheets=(PeerSheet(text, text, (PeerParameter(text, text, text),), causes=(text,)),),
        ),
        style,
    ),
    "peer": lambda text, style: texts.peer_text(
        [PeerSheet(text, text, (PeerParameter(text, text, text),), causes=(text,))]
    ),
    "unsaid": lambda text, style: texts.unsaid_text(poisoned(EXPORTED, text), style),
    "refusals": lambda text, style: texts.refusals_text(poisoned(EXPORTED, text), style),
    "exported": lambda text, style: texts.exported_text(poisoned(EXPORTED, text), [text]),
    **{
        f"error {name}": lambda text, style, one=one: texts.error_text(poisoned(one, text), style)  # type: ignore[misc]
        for name, one in errors().items()
    },
}


@pytest.mark.parametrize("style", [PLAIN, COLOURED], ids=["plain", "coloured"])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_hostile_texts_does_no_harm(name: str, style: Style) -> None:
    for text in (*TEXTS.values(), EVERYTHING):
        told = REPORTS[name](text, style)

        assert harm_in(told) == [], told
        told.encode()


def test_every_text_report_is_in_this_test() -> None:
    tested = "".join(REPORTS) + "rules"  # what rules say is ours

    for function in FUNCTIONS:
        word = function.removesuffix("_text")
        assert word in tested, function
        assert hasattr(getattr(texts, function), "__wrapped__"), f"{function} is no @report"


@pytest.mark.parametrize("text", [*TEXTS.values(), EVERYTHING], ids=(*TEXTS, "everything"))
def test_pictures_of_hostile_texts_are_well_formed(text: str) -> None:
    graph = hub(3)
    for drawing in (topology(graph, "t"), operations(schedule_of(creation(graph)), "o")):
        evil = poisoned(drawing, text)

        for told in (mermaid(evil), dot(evil), svg(evil)):
            assert harm_in(told) == []
        assert [line.count('"') % 2 for line in mermaid(evil).splitlines() if not line.startswith("title")].count(
            1
        ) == 0
        assert "%%{" not in mermaid(evil)
        root = ET.fromstring(svg(evil).encode())
        assert {element.tag.partition("}")[2] for element in root.iter()} <= {
            "svg", "title", "defs", "marker", "path", "rect", "g", "text",
        }  # fmt: skip


def test_json_documents_hold_the_texts_exactly_and_do_no_harm() -> None:
    text = EVERYTHING
    found = {
        "plan": documents.plan_document(poisoned(view_of(busy_plan()), text)),
        "drift": documents.drift_document(poisoned(drift(), text)),
        "show": documents.show_document(poisoned(inventory(), text)),
        "log": documents.log_document("d", poisoned(runs(), text)),
        "validate": json_documents.validate_document(findings(text)),
        **{name: documents.outcome_document(poisoned(one, text)) for name, one in outcomes().items()},
        **{f"e {name}": json_documents.error_document(poisoned(one, text)) for name, one in errors().items()},
    }

    for name, document in found.items():
        told = json_documents.dumps(document)
        assert harm_in(told) == [], name
        told.encode()
    assert json.loads(json_documents.dumps(found["drift"]))["deployment"] == "contoso-hub" + text


@pytest.mark.parametrize("text", [*TEXTS.values(), EVERYTHING], ids=(*TEXTS, "everything"))
def test_sarif_of_hostile_texts_is_valid_and_links_nowhere(text: str) -> None:
    document = sarif(findings(text), f"a{text.replace('/', '')}.py")

    told = json_documents.dumps(document)

    assert harm_in(told) == []
    read = json.loads(told)
    for result in read["runs"][0]["results"]:
        assert harm_in(result["message"]["text"]) == []
        assert "](" not in result["message"]["text"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()


@pytest.mark.parametrize("text", [*TEXTS.values(), EVERYTHING], ids=(*TEXTS, "everything"))
def test_progress_of_hostile_texts_does_no_harm(text: str) -> None:
    plain, live = io.StringIO(), io.StringIO()
    schedule = poisoned(schedule_of(creation(hub(1))), text)
    for show in (PlainProgress(plain, COLOURED), LiveProgress(live, PLAIN)):
        with show:
            show.expect(schedule)
            for event in EVENTS:
                show(poisoned(event, text))

    assert harm_in(plain.getvalue()) == []
    assert harm_in(live.getvalue()) == []


@pytest.mark.parametrize("text", [*TEXTS.values(), EVERYTHING], ids=(*TEXTS, "everything"))
def test_a_fleet_of_hostile_texts_does_no_harm(text: str) -> None:
    plain, live = io.StringIO(), io.StringIO()
    for show in (PlainFleetProgress(plain, COLOURED, 1), LiveFleetProgress(live, PLAIN, 1)):
        with show:
            for event in EVENTS:
                show(f"hub{text}", poisoned(event, text))

    assert harm_in(plain.getvalue()) == []
    assert harm_in(live.getvalue()) == []


# --- Markdown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@everyone and @a/team", "@&#8203;everyone and @&#8203;a/team"),
        ("fixes #12, GH-3", "fixes #&#8203;12, GH-&#8203;3"),
        ("https://evil.example", "https:&#8203;//evil.example"),
        ("www.evil.example", "www.&#8203;evil.example"),
        ("<img src=x>&lt;", r"\<img src=x\>&amp;lt;"),
        ("a|b `c` [d](e) ~f~ $g$", r"a\|b \`c\` \[d\](e) \~f\~ \$g\$"),
        ("10.0.0.0/8 after VpnGateway/hq", "10.0.0.0/8 after VpnGateway/hq"),
    ],
)
def test_a_cell_calls_nobody_and_links_nowhere(text: str, told: str) -> None:
    assert cell(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("a``b`", "``` a``b` ```"),
        ("a\\|b", "<code>a&#92;&#124;b</code>"),
        ("a|<b>", "<code>a&#124;&#60;b&#62;</code>"),
        ("", ""),
    ],
)
def test_code_stays_code_in_a_table(text: str, told: str) -> None:
    assert code(text) == told


def test_a_fence_holds_whatever_is_in_it() -> None:
    view = dataclasses.replace(view_of(creation(hub(1))), unmanaged=("x ```` </details> `````",))

    told = plan_markdown(view).splitlines()

    assert told.count("``````text") == 1
    assert told.count("``````") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [("a\nb", r'"a\nb"'), ("a\x1b[31mb", r'"a\u001b[31mb"'), (r"C:\new", r'"C:\new"'), ('a"b', r'"a\"b"')],
)
def test_an_escape_in_a_value_of_a_plan_is_not_escaped_once_more(text: str, told: str) -> None:
    assert formatting.value(plain(text)) == told
    assert formatting.value([plain(text)]) == f"[{told}]"
