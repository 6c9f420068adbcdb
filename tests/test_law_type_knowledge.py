"""Law: what is special about a type, the type says. No ARM type and no wire property name in `engine/` and `report/`.

Texts are read from the sources; the names come from the wire models themselves, so that a new type is covered.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from vpngw_iac.resources import registry
from vpngw_iac.resources.wire import WireModel

PACKAGE = Path(__file__).parent.parent / "vpngw_iac"
ENVELOPE = {"id", "name", "type", "location", "tags", "etag", "zones", "properties", "provisioningState"}

OUR_WORDS = {
    "asn": "a fact of the inventory",
    "enabled": "a state that is shown in green",
    "fqdn": "a fact of the inventory",
    "ids": "a key of reports",
    "level": "of a finding",
    "locations": "SARIF",
    "purpose": "of an action of Azure, in reports",
    "sku": "a fact of the inventory",
    "state": "a key of reports",
    "subnet": "a kind of thing that hangs on others",
    "tag": "a verb",
}
"""Words of ours that Azure has too, each alone in its text."""


def wire_names() -> set[str]:
    """Every property name of every wire model of the package; other tests imagine models of their own."""
    registry()
    models, found = [WireModel], set()
    while models:
        model = models.pop()
        models += [each for each in model.__subclasses__() if each.__module__.startswith("vpngw_iac.")]
        found |= {info.alias or name for name, info in model.model_fields.items() if not info.exclude}
    return found - ENVELOPE


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of a file with its line, but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def knowledge(text: str, names: set[str]) -> list[str]:
    """What of Azure's types a text knows: an ARM type (or the end of one), or names in what looks like a path."""
    ends = {"/" + arm_type.rsplit("/", 1)[-1] for arm_type in registry()} - {"/resourcegroups"}  # the grammar of ids
    found = [part for part in ("microsoft.", *ends) if part in text.lower()]
    if re.fullmatch(r"[\w.*\[\]=/]+", text) and text not in OUR_WORDS:
        found += [step for step in re.split(r"[.*\[\]=/]", text) if step in names]
    return found


def test_engine_and_reports_know_no_type_and_no_property_of_azure() -> None:
    names = wire_names()
    known = [
        f"{path.relative_to(PACKAGE)}:{line}: {text!r}"
        for folder in ("engine", "report")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for line, text in texts(path)
        if knowledge(text, names)
    ]

    assert known == []


def test_engine_and_reports_import_no_module_of_a_single_type() -> None:
    of_types = {model.__module__ for model in registry().values()}
    found = [
        f"{path.relative_to(PACKAGE)}: {node.module}"
        for folder in ("engine", "report")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in of_types
    ]

    assert found == []


def test_the_law_sees_types_ends_of_types_and_paths() -> None:
    names = wire_names()
    for text in ("microsoft.network/connections", "/publicipaddresses", "properties.sharedKey", "sku.name", "natRules"):
        assert knowledge(text, names), text
    for text in ("properties.provisioningState", "tag", "tags.CreatedBy", "the sku of a gateway", "VpnGateway/hub"):
        assert not knowledge(text, names), text


def test_every_word_of_ours_is_needed() -> None:
    used = {
        text for folder in ("engine", "report") for path in (PACKAGE / folder).rglob("*.py") for _, text in texts(path)
    }

    assert set(OUR_WORDS) <= used & wire_names()
