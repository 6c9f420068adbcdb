"""Every blueprint that ships goes out as a template; deployed, it is what the blueprint says, to the letter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.export.deploying import SUBSCRIPTION, Cloud
from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.paths import walk
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import EnvironmentSecret
from vpngw_iac.usecases.exporter import export_blueprint

FOLDER = Path(__file__).resolve().parents[2] / "blueprints"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".py", ".yaml"})


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_shipped_blueprint_is_deployed_and_adopted_without_a_difference(file: Path, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "blueprints")
    blueprint = load(tmp_path / "blueprints" / file.name).blueprint
    graph = Graph.of(blueprint.resources(Scope(SUBSCRIPTION)))
    secrets = [value for resource in graph.resources.values() for _, value in walk(resource.body(), "")]
    environment = {s.name: f"Secret-{s.name}-0123456789" for s in secrets if isinstance(s, EnvironmentSecret)}
    cloud = Cloud(tmp_path, environment, provider_seconds=60)
    workspace = cloud.workspace.beside(tmp_path / "blueprints" / file.name)
    exported = export_blueprint(workspace, blueprint)

    cloud.deploy_with_provider(exported)

    plan = workspace.plan(blueprint, Options(adopt=("*",)))
    assert {change.action for change in plan.changes} <= {Action.ADOPT}
    assert {change.address for change in plan.changes} == {
        address for address, resource in graph.resources.items() if resource.id.names
    }
    assert [difference for change in plan.changes for difference in change.differences] == []
