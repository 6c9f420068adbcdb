"""Every blueprint that ships goes out as a template; deployed, it is what the blueprint says, to the letter."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


_KNOWN = {
    "type", "apiVersion", "name", "scope", "subscriptionId", "resourceGroup", "location", "tags", "sku", "zones",
    "identity", "extendedLocation", "dependsOn", "properties",
}  # fmt: skip
"""What a resource of a template may have ("Template structure and syntax"), as far as our types need it."""
_NOT_SENT = {"provisioningState", "etag", "resourceGuid", "id"}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_template_has_what_the_schema_knows_and_nothing_that_only_azure_writes(file: Path, tmp_path: Path) -> None:
    blueprint = load(file).blueprint
    exported = export_blueprint(Cloud(tmp_path, {}).workspace.beside(file), blueprint)
    for template in exported.templates.values():
        found = list(_resources(template))
        assert all(set(each) <= _KNOWN for each in found)
        assert all(re.fullmatch(r"[A-Z][A-Za-z]+\.[A-Za-z]+(/[A-Za-z]+)+", each["type"]) for each in found)
        assert all(re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", each["apiVersion"]) for each in found)
        assert not {name for each in found for name in (*each, *each.get("properties", {}))} & _NOT_SENT
        assert all("/subscriptions/" not in json.dumps(each) for each in found)


def _resources(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in template["resources"]:
        inner = resource["properties"].pop("template", None) if "Resources/deployments" in resource["type"] else None
        yield resource
        if inner is not None:
            yield from _resources(inner)
