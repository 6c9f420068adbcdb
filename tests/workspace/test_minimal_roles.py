"""Minimal roles hold against what the simulator was asked, told by the simulator's own reading of each request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import connection, hub, site
from vpngw_iac.blueprints.load import load
from vpngw_iac.cli.app import run
from vpngw_iac.engine.ask.roles import NeededRole, minimal_roles
from vpngw_iac.secret import Secret
from vpngw_iac.simulator import Governance
from vpngw_iac.simulator.governance import Grant
from vpngw_iac.simulator.guard import requested_action
from vpngw_iac.simulator.wire import HttpRequest

BLUEPRINTS = Path(__file__).parent.parent.parent / "blueprints"
FILES = ("multi_site", "hub_and_spokes", "vnet_to_vnet_ipsec", "expressroute_and_sites", "point_to_site_certificates")

DOCUMENTED = {
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
    "Microsoft.Network/locations/operationResults/read",
    "Microsoft.Network/virtualNetworkGateways/connections/read",
    "Microsoft.Network/connections/sharedKey/write",
    "Microsoft.Network/connections/sharedKey/action",
}
"""What the list of resource provider operations asks for and the simulator tells otherwise, or this life never did."""


def roles_of(harness: Harness, blueprint: Any) -> dict[str, NeededRole]:
    made = harness.workspace().compile(blueprint)
    return {role.word: role for role in minimal_roles(made.graph, made.deployment)}


def asked(harness: Harness) -> set[str]:
    """The action of every request so far."""
    found = set()
    for logged in harness.simulator.requests:
        requested = requested_action(HttpRequest(logged.method, logged.path.partition("?")[0], {}, {}, b""))
        if requested is not None:
            found.add(requested.action)
    return found


def permitted(role: NeededRole, actions: set[str]) -> set[str]:
    """Those of the actions that the role lacks."""
    given = {action.lower() for action in role.actions}
    return {action for action in actions if action.lower() not in given}


@pytest.fixture
def harness(harness: Harness) -> Harness:
    lines = (BLUEPRINTS / "example.env").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    harness.environment |= {name: value.strip("\"'") for name, value in pairs}
    return harness


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_a_life_is_covered_and_nothing_else_is_given(harness: Harness, name: str) -> None:
    blueprint = load(BLUEPRINTS / f"{name}.py").blueprint
    roles = roles_of(harness, blueprint)
    harness.plan(blueprint)
    harness.workspace().drift(blueprint)
    assert permitted(roles["planner"], asked(harness)) == set()
    harness.apply(blueprint)
    harness.plan(blueprint)
    harness.workspace().show(blueprint)
    harness.destroy(blueprint)

    assert permitted(roles["operator"], asked(harness)) == set()
    told = {action.lower() for action in asked(harness) | DOCUMENTED}
    surplus = {a for a in roles["operator"].actions if a.lower() not in told and not a.endswith("/join/action")}
    assert surplus - {"Microsoft.Network/virtualNetworks/peer/action"} == set()
    assert not any(action.endswith(("/write", "/delete", "/action", "*")) for action in roles["planner"].actions)


@pytest.mark.parametrize("name", FILES)
def test_with_the_operator_s_role_alone_it_is_applied_and_destroyed(harness: Harness, name: str) -> None:
    """Joining what a body refers to is asked by the simulator as Azure asks it."""
    blueprint = load(BLUEPRINTS / f"{name}.py").blueprint
    grant = Grant(actions=roles_of(harness, blueprint)["operator"].actions)
    harness.simulator.governance = Governance(grants=(grant,))

    assert harness.apply(blueprint).outcome in ("succeeded", "waiting")  # for a provider
    assert harness.destroy(blueprint).outcome == "succeeded"


def test_a_key_is_set_with_the_operator_s_role(harness: Harness) -> None:
    deployment = hub("berlin").plus(site("rome", 9))
    harness.create(deployment)
    after = deployment.but(connection("berlin", sharedKey=Secret.env("PSK_ROME")))
    harness.simulator.governance = Governance(grants=(Grant(actions=roles_of(harness, after)["operator"].actions),))

    harness.converge(after)


def test_the_planner_plans_and_applies_nothing(harness: Harness) -> None:
    blueprint = load(BLUEPRINTS / "one_site.py").blueprint
    grant = Grant(actions=roles_of(harness, blueprint)["planner"].actions)
    harness.simulator.governance = Governance(grants=(grant,))

    plan = harness.plan(blueprint)

    assert {finding.rule for finding in plan.blocking} <= {"V-PROBE-01"}
    assert plan.changes


def test_a_definition_is_what_azure_takes(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    file = str(BLUEPRINTS / "one_site.py")
    assert run(["role", file, "--cloud", "simulator", "--for", "operator"]) == 0

    definition = json.loads(capsys.readouterr().out)

    assert definition["IsCustom"] is True
    assert definition["AssignableScopes"] == ["/subscriptions/00000000-0000-0000-0000-000000000000"]
    assert "Microsoft.Network/virtualNetworkGateways/write" in definition["Actions"]
    assert run(["role", file, "--cloud", "public"]) == 64
    assert run(["role", file, "--cloud", "simulator", "--json"]) == 0
    assert [each["role"] for each in json.loads(capsys.readouterr().out)["roles"]] == [
        "planner",
        "verifier",
        "operator",
    ]
