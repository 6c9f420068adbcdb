"""Estates go out as templates, into an empty cloud, and come back in: what is compiled is what was compiled before.

Except for what the export says that no template can, and for what the import left alone from the beginning.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.estates import estate, per_estate
from tests.export.deploying import Cloud
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.blueprints.load import load
from vpngw_iac.export.exported import Exported
from vpngw_iac.paths import walk
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.wire import SECRET_TYPES
from vpngw_iac.secret import EnvironmentSecret
from vpngw_iac.usecases.exporter import export_blueprint
from vpngw_iac.usecases.imported import Wanted
from vpngw_iac.usecases.importer import Importer

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"


def imported(cloud: Cloud, groups: tuple[str, ...], file: Path) -> Graph:
    Importer(cloud.workspace, None).run(Wanted(groups=groups, file=file))
    return Graph.of(load(file).blueprint.resources(Scope(SUBSCRIPTION)))


def comparable(graph: Graph, left_out: set[ArmId]) -> dict[str, Any]:
    """Bodies by id; secrets are compared by being there."""
    return {
        resource.id.key: _without_case(json.loads(json.dumps(resource.body(), default=_plain)))
        for resource in graph.resources.values()
        if resource.id not in left_out
    }


def _plain(value: Any) -> Any:
    return "a secret" if isinstance(value, SECRET_TYPES) else str(value)


def _without_case(value: Any) -> Any:
    """Ids have none."""
    if isinstance(value, dict):
        return {name: _without_case(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_case(item) for item in value]
    return value.lower() if isinstance(value, str) and ArmId.of(value) is not None else value


def _keys(exported: Exported, graph: Graph, keys: dict[str, str]) -> dict[str, str]:
    """Values of secrets: those of the estate where it has them (a circuit takes no other), any for the rest."""
    lower = {identifier.lower(): key for identifier, key in keys.items()}
    found = {reference.name: f"Key-{reference.name}" for reference in exported.parameters.values()}
    for resource in graph.resources.values():
        for _, value in walk(resource.body(), ""):
            if isinstance(value, EnvironmentSecret) and resource.id.key in lower:
                found[value.name] = lower[resource.id.key]
    return found


@per_estate()
def test_an_estate_goes_out_and_comes_back(file: Path | None, tmp_path: Path) -> None:
    content = estate(file)
    ids = [ArmId(document["id"]) for document in content["documents"]]
    groups = tuple(sorted(str(identifier) for identifier in ids if not identifier.names))
    old = Cloud(tmp_path / "old", {}, SUBSCRIPTION)
    old.folder.mkdir()
    old.simulator.load(content["documents"], content["secrets"])
    graph = imported(old, groups, old.folder / "blueprint.py")

    exported = export_blueprint(old.workspace, load(old.folder / "blueprint.py").blueprint)

    new = Cloud(tmp_path / "new", {}, SUBSCRIPTION, allow_retired=True, provider_seconds=0.0)
    new.folder.mkdir()
    made = {resource.id for resource in graph.resources.values()}
    new.simulator.load(_used(content, graph, made))
    new.environment = _keys(exported, graph, content["secrets"])
    new.deploy_with_provider(exported)
    known = {identifier.lower() for identifier in new.simulator.documents()}
    again = imported(new, tuple(g for g in groups if g.lower() in known), new.folder / "blueprint.py")
    left_out = _left_out(exported, graph)
    assert comparable(again, left_out) == comparable(graph, left_out)


def _left_out(exported: Exported, graph: Graph) -> set[ArmId]:
    told = {line.split(": ")[0] for line in exported.unsaid}
    return {resource.id for address, resource in graph.resources.items() if address in told}


def _used(content: dict[str, Any], graph: Graph, made: set[ArmId]) -> list[dict[str, Any]]:
    """What the blueprint uses and does not make, with its group; a security group is named by its id alone."""
    told = repr([resource.body() for resource in graph.resources.values()]).lower()
    named = {own for document in content["documents"] if (own := ArmId(document["id"])).names and own.key in told}
    wanted = set(graph.existing) | {own for own in named if own.type.lower().endswith("networksecuritygroups")}
    wanted |= {parent for each in graph.existing if (parent := each.parent) is not None}
    wanted |= {each.resource_group for each in wanted if each.group}
    used = [
        document
        for document in content["documents"]
        if (own := ArmId(document["id"])) in wanted or any(each.names and each.contains(own) for each in wanted)
    ]
    return [document for document in used if ArmId(document["id"]) not in made]
