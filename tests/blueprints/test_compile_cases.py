"""Each file of tests/cases/compile: a blueprint as people write it, and what it must compile to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.blueprints.samples import ROOT, SCOPE, at, bodies, by_address, shown
from vpngw_iac.blueprints.load import load
from vpngw_iac.resources.base import Resource

CASES = sorted((ROOT / "tests" / "cases" / "compile").rglob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_blueprint_compiles_to_what_its_case_says(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump(case["blueprint"]), encoding="utf-8")

    blueprint = load(file).blueprint
    found = by_address(blueprint)
    documents = bodies(blueprint)

    assert blueprint.findings(SCOPE) == (), case["reason"]
    if "addresses" in case:
        assert sorted(case["addresses"]) == sorted(found), case["reason"]
    for address, expected in (case.get("expect") or {}).items():
        assert address in found, f"{case['reason']} ({address} is not there, only {sorted(found)})"
        for where, value in expected.items():
            assert value == _value(found[address], documents.get(address), where), f"{case['reason']} ({where})"


def _value(item: Any, body: Any, where: str) -> Any:
    """``~name`` is an attribute of the resource, everything else a path in its body."""
    if where == "~name":
        return item.id.name
    if where == "~group":
        return item.id.group
    if where == "~subscription":
        return item.id.subscription
    if where == "~needs":
        return [shown(str(ref.target)) for ref in item.needs]
    if where.startswith("~"):
        value = getattr(item, where[1:])
        return list(value) if isinstance(value, tuple) else value
    assert isinstance(item, Resource)
    return shown(at(body, where))
