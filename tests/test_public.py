"""The public names: complete, resolvable, typed, and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vpngw_iac
from vpngw_iac.blueprints import parts
from vpngw_iac.blueprints.base import kinds

SOURCE = ast.parse(Path(vpngw_iac.__file__).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", vpngw_iac.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(vpngw_iac, name) is not None


def test_the_list_of_names_is_sorted_and_has_no_double() -> None:
    assert sorted(set(vpngw_iac.__all__)) == list(vpngw_iac.__all__)


def test_every_noun_and_every_kind_is_public() -> None:
    hidden = {"ClientAccess"}

    assert (set(parts.__all__) | set(kinds())) - hidden <= set(vpngw_iac.__all__)


def test_type_checkers_see_the_same_names_as_programs() -> None:
    checked = {
        alias.asname or alias.name
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }

    assert {*checked, "__version__"} == set(vpngw_iac.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = vpngw_iac.NoSuchThing


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import sys, vpngw_iac; print(sorted({'pydantic', 'azure', 'yaml', 'rich'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
