"""Each ready-to-apply blueprint, applied, its state lost, imported again: nothing to change, and the same graph."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from tests.architectures.conftest import FILES, FOLDER, World, differences_of
from vpngw_iac import Circuit, Diagnostics, ExpressRoute
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.resources import model_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import Shape, shape_of
from vpngw_iac.resources.wire import SECRET_TYPES, Output
from vpngw_iac.usecases.imported import Imported, Wanted
from vpngw_iac.usecases.importer import Importer

SCOPE = Scope("00000000-0000-0000-0000-000000000000")


def graph_of(blueprint: Blueprint, documents: Mapping[ArmId, Mapping[str, Any]]) -> dict[ArmId, Any]:
    """Bodies by id without what Azure would fill in anyway, values of Azure's in place of outputs, no secret's name.

    A group that exists stays as it is: nothing of its body counts.
    """
    bodies = {}
    for item in blueprint.resources(SCOPE):
        if isinstance(item, Resource):
            body = {} if item.only_if_absent else item.body()
            bodies[item.id] = _plain(body, shape_of(model_of(item.id)), documents)
    return bodies


def _plain(value: Any, shape: Shape, documents: Mapping[ArmId, Mapping[str, Any]]) -> Any:
    if isinstance(value, Output):
        return "(secret)" if value.secret else lookup(documents[value.source], value.path)
    if isinstance(value, SECRET_TYPES):
        return "(secret)"
    if isinstance(value, Mapping):
        inner = {name: _plain(item, shape.at(name), documents) for name, item in value.items()}
        return {
            name: item
            for name, item in inner.items()
            if not (shape.at(name).has_default and item == shape.at(name).default) and item not in ([], {}, None)
            if (name, item) != ("dpdTimeoutSeconds", 45)  # what 0 stands for (R-DPD-01)
        }
    if isinstance(value, list | tuple):
        items = [_plain(item, shape.item or Shape(), documents) for item in value]
        loose = shape.unordered or shape.key is not None or shape.items
        return sorted(items, key=str) if loose else items
    return value.lower() if isinstance(value, str) and shape.any_case else value


def groups_of(blueprint: Blueprint) -> tuple[ArmId, ...]:
    found = {item.id for item in blueprint.resources(SCOPE) if not item.id.names}
    return tuple(sorted(found))


def imported(world: World, blueprint: Blueprint) -> Imported:
    """The state is gone; the blueprint's groups are taken over under its name."""
    shutil.rmtree(world.directory / ".vpngw" / "state")
    wanted = Wanted(groups=tuple(map(str, groups_of(blueprint))), file=world.directory / "blueprint.py")
    return Importer(world.workspace, blueprint.name).run(wanted)


@pytest.mark.parametrize("name", FILES)
def test_an_imported_blueprint_changes_nothing_and_says_the_same(world: World, name: str) -> None:
    original = load(FOLDER / name).blueprint
    world.apply(original)
    writes = len(world.writes())

    result = imported(world, original)

    assert result.differing == ()
    assert result.exit_code == 0
    assert len(world.writes()) == writes
    again = load(world.directory / "blueprint.py").blueprint
    documents = {ArmId(i): d for i, d in world.simulator.documents().items()}
    assert graph_of(again, documents) == graph_of(original, documents)
    plan = world.plan(again)
    assert differences_of(plan) == []
    assert plan.blocking == ()
    assert not world.workspace.drift(again).alarming


def test_diagnostics_of_a_circuit_are_found(world: World) -> None:
    workspace = (
        f"/subscriptions/{SCOPE.subscription}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/logs"
    )
    circuit = Circuit(
        name="circuit", resource_group="rg", location="westeurope", provider="Equinix", peering_location="Amsterdam",
        bandwidth=50, diagnostics=Diagnostics(workspace=workspace),
    )  # fmt: skip
    original = ExpressRoute(name="circuits", circuits=[circuit])
    world.apply(original)

    result = imported(world, original)

    assert result.exit_code == 0
    again = load(world.directory / "blueprint.py").blueprint
    documents = {ArmId(i): d for i, d in world.simulator.documents().items()}
    assert graph_of(again, documents) == graph_of(original, documents)
