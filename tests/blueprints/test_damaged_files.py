"""However a file is damaged, it becomes a blueprint or is refused with findings: never a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from tests.blueprints.mutations import damaged
from tests.blueprints.samples import ROOT, SCOPE
from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import BlueprintError, Finding
from vpngw_iac.resources.base import Resource

CASES = sorted((ROOT / "tests" / "cases" / "compile").rglob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_damaged_file_is_refused_with_findings_or_compiles(path: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))["blueprint"]
    chance = random.Random(path.stem)
    file = tmp_path / "case.yaml"

    for _ in range(40):
        text = yaml.safe_dump(damaged(document, chance))
        file.write_text(text, encoding="utf-8")
        for finding in findings_of(file):
            assert finding.detail, text
            assert "not acceptable here" not in finding.detail, text


def findings_of(file: Path) -> tuple[Finding, ...]:
    """Why it is refused; nothing if every resource of it has a body."""
    try:
        for blueprint in load(file).blueprints:
            blueprint.waivers()
            for item in blueprint.resources(SCOPE):
                if isinstance(item, Resource):
                    item.body()
    except BlueprintError as error:
        return error.findings or (Finding("none", "error", "", "refused without a finding"),)
    return ()
