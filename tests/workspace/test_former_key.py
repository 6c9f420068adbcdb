"""A blueprint that was renamed keeps what it knows of its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.architectures.conftest import FOLDER, World, differences_of
from vpngw_iac.blueprints.load import load
from vpngw_iac.usecases.settings import read_env_file


def test_a_renamed_blueprint_still_tells_a_changed_key_from_an_unchanged_one(tmp_path: Path) -> None:
    environment: Mapping[str, str] = read_env_file(FOLDER / "example.env")
    world = World(tmp_path, dict(environment))
    before = load(FOLDER / "one_site.py").blueprint
    assert world.apply(before).outcome == "succeeded"
    after = before.model_copy(update={"name": "renamed", "formerly": before.name})

    plan = world.plan(after)

    assert differences_of(plan) == []
    assert "V-SECRET-01" not in {finding.rule for finding in plan.findings}
    assert world.apply(after).outcome == "succeeded"
    later = world.plan(after.model_copy(update={"formerly": None}))
    assert differences_of(later) == []
    assert "V-SECRET-01" not in {finding.rule for finding in later.findings}
    world.environment["BERLIN_PSK"] = "anotherStrongKey0123456789"
    assert [change.only_secret for change in world.plan(after).changes] == [True]


def test_a_saved_plan_of_a_renamed_blueprint_keeps_the_key_too(tmp_path: Path) -> None:
    environment: Mapping[str, str] = read_env_file(FOLDER / "example.env")
    world = World(tmp_path, dict(environment))
    before = load(FOLDER / "one_site.py").blueprint
    assert world.apply(before).outcome == "succeeded"
    after = before.model_copy(update={"name": "renamed", "formerly": before.name})
    workspace = world.workspace

    document = workspace.save_plan(workspace.plan(after))
    assert workspace.apply(workspace.load_plan(document)).outcome == "succeeded"

    assert workspace.session_named("renamed").key() == workspace.session_named(before.name).key()
