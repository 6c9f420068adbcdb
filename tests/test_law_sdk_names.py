"""Law: every ``sdk`` name that a compiled operation shows exists in the SDK."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.resources import registry
from vpngw_iac.resources.base import Resource
from vpngw_iac.usecases.workspace import Workspace

BLUEPRINTS = sorted((Path(__file__).parents[1] / "blueprints").glob("*.py"))
LIBRARIES = {"network": "azure.mgmt.network.operations", "resource": "azure.mgmt.resource.resources.operations"}


def groups_of(library: str) -> dict[str, type]:
    """Operation groups by the name of the client's property: ``VirtualNetworkGatewaysOperations`` and so on."""
    module = importlib.import_module(LIBRARIES[library])
    found = {name: value for name, value in vars(module).items() if name.endswith("Operations")}
    return {name.removesuffix("Operations").lower(): value for name, value in found.items()}


def exists(sdk: str) -> bool:
    library, group, method = sdk.split(".")
    found = groups_of(library).get(group.replace("_", ""))
    return callable(getattr(found, method, None))


@pytest.mark.parametrize("model", registry().values(), ids=lambda model: model.kind)
def test_each_call_of_each_type_exists(model: type[Resource]) -> None:
    verbs = {verb for verb in model.sdk_calls if verb != "tag" or model.taggable}

    assert verbs >= {"put", "delete"}
    assert {verb: model.sdk_calls[verb] for verb in verbs if not exists(f"{model.sdk}.{model.sdk_calls[verb]}")} == {}


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: file.stem)
def test_each_operation_of_each_blueprint_names_a_call_that_exists(file: Path) -> None:
    shown = {operation.sdk for blueprint in load(file).blueprints for operation in _operations(blueprint)}

    assert shown
    assert {sdk for sdk in shown if not exists(sdk)} == set()


def _operations(blueprint: Any) -> tuple[Operation, ...]:
    return Workspace("simulator", environment={}).compile(blueprint).schedule.operations


def test_the_law_knows_what_the_sdk_has_not() -> None:
    assert exists("network.virtual_network_gateways.begin_update_tags")
    assert not exists("network.virtual_network_gateways.update_tags")
    assert not exists("network.virtual_gateways.begin_delete")
