"""A use-case compiles its blueprint once, opens its store once and connects once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.azure.test_sign_in import Credential
from tests.workspace.conftest import Harness
from vpngw_iac import Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.arm import Scope
from vpngw_iac.azure import CloudClient
from vpngw_iac.blueprints.compiling import deployment
from vpngw_iac.blueprints.part import Part
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import BlueprintError, VpngwError
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import Secret
from vpngw_iac.state.file import FileStore
from vpngw_iac.usecases.state_commands import StateCommands
from vpngw_iac.usecases.workspace import Workspace

ONCE = {"resources": 1, "compile": 1, "store": 1, "client": 1}
SEEN: Counter[str] = Counter()


class Counted(SiteToSite):
    """Counts how often it is asked."""

    def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
        SEEN["resources"] += 1
        return super().resources(scope)


del Part.models["Counted"]  # errors of other tests name the nouns that a file may use


def hub(name: str = "hub", **more: Any) -> Counted:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location="westeurope",
        resource_group=f"rg-{name}",
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    berlin = Site(
        name="berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], shared_key=Secret.env("PSK_BERLIN")
    )
    gateway = VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw1AZ")
    return Counted(name=name, gateway=gateway, sites=[berlin], **more)


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every compilation, store and client of this process is counted, whoever makes it."""

    def count(owner: Any, name: str, what: str) -> None:
        real = getattr(owner, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            SEEN[what] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    count(deployment, "compile_contributions", "compile")
    count(FileStore, "__init__", "store")
    count(CloudClient, "cloud", "client")
    SEEN.clear()


USES: dict[str, Callable[[Workspace, Any], object]] = {
    "plan": lambda workspace, blueprint: workspace.plan(blueprint),
    "apply": lambda workspace, blueprint: workspace.apply(blueprint),
    "wait": lambda workspace, blueprint: workspace.wait(blueprint),
    "drift": lambda workspace, blueprint: workspace.drift(blueprint),
    "show": lambda workspace, blueprint: workspace.show(blueprint),
    "destroy": lambda workspace, blueprint: workspace.destroy(blueprint),
    "rebuild": lambda workspace, blueprint: StateCommands(workspace, blueprint.name).rebuild(blueprint),
}


@pytest.mark.parametrize("use", ["plan", "apply"])
def test_the_first_time(harness: Harness, use: str) -> None:
    USES[use](harness.workspace(), hub())

    assert SEEN == ONCE


@pytest.mark.parametrize("use", [use for use in USES if use != "rebuild"])
def test_on_what_is_deployed(harness: Harness, use: str) -> None:
    harness.workspace().apply(hub())
    SEEN.clear()

    USES[use](harness.workspace(), hub())

    assert SEEN == ONCE


def test_a_reviewed_plan_needs_no_blueprint(harness: Harness) -> None:
    plan = harness.workspace().plan(hub())
    document = harness.workspace().save_plan(plan)
    workspace = harness.workspace()
    reviewed = workspace.load_plan(document)
    SEEN.clear()

    assert workspace.apply(reviewed).outcome == "succeeded"
    assert SEEN == {"store": 1, "client": 1}


@pytest.mark.parametrize("state", [None, "state"])
def test_a_plan_file_is_checked_and_applied_with_one_store(harness: Harness, tmp_path: Path, state: str | None) -> None:
    more = {"state": str(tmp_path / state)} if state else {}
    document = harness.workspace(**more).save_plan(harness.workspace(**more).plan(hub()))
    SEEN.clear()

    assert harness.workspace(**more).apply_saved(document).outcome == "succeeded"
    assert SEEN == {"store": 1, "client": 1}


def test_a_plan_file_that_was_edited_is_not_applied(harness: Harness) -> None:
    document = harness.workspace().save_plan(harness.workspace().plan(hub()))
    document["basis"] = {**document["basis"], "subscription": "00000000-0000-0000-0000-0000000000ff"}

    with pytest.raises(VpngwError):
        harness.workspace().apply_saved(document)
    assert harness.simulator.documents() == {}


def test_a_renamed_deployment_connects_once_for_both_names(harness: Harness) -> None:
    harness.workspace().apply(hub())
    SEEN.clear()

    assert (
        harness.workspace().apply(hub().model_copy(update={"name": "contoso", "formerly": "hub"})).changes_left is None
    )
    assert SEEN == ONCE | {"store": 2}


def test_what_the_first_apply_fingerprints_is_known_to_the_client_it_has(harness: Harness) -> None:
    harness.workspace().apply(hub())

    assert harness.workspace().plan(hub(), Options(deep=True)).changes == ()


def test_a_contradiction_is_told_before_anybody_signs_in(harness: Harness) -> None:
    twice = hub()
    twice = twice.model_copy(update={"sites": (*twice.sites, *twice.sites)})

    with pytest.raises(BlueprintError):
        harness.workspace().apply(twice)
    assert SEEN == {"resources": 1, "compile": 1}


def test_the_tenant_that_is_signed_in_to_is_that_of_what_names_none(harness: Harness) -> None:
    harness.workspace().apply(hub())
    session = harness.workspace().session(hub())
    loaded = session.bound_store().load()
    declared = hub().resources(session.scope)

    assert loaded is not None
    assert session.items == declared
    assert {entry.address: entry.tenant for entry in loaded.state.entries.values()} == {
        resource.address: resource.tenant for resource in declared if isinstance(resource, Resource)
    }


def test_deployments_of_one_workspace_sign_in_once(harness: Harness) -> None:
    credential = Credential()
    workspace = harness.workspace(credential=credential)

    for blueprint in (hub("east"), hub("west")):
        workspace.beside(Path("blueprint.py")).plan(blueprint)

    assert len(credential.asked) == 1


def test_loading_a_plan_changes_no_workspace(harness: Harness, tmp_path: Path) -> None:
    harness.workspace().apply(hub())
    document = harness.workspace().save_plan(harness.workspace().plan(hub()))
    workspace = Workspace(directory=tmp_path, environment=harness.environment, simulator=harness.simulator)
    before = vars(workspace).copy()

    reviewed = workspace.load_plan(document)

    assert vars(workspace) == before
    assert workspace.session(reviewed).place.cloud == "simulator"
    assert workspace.session(hub()).place.cloud == "public"


def test_a_class_of_somebodys_own_needs_no_more_than_a_name_and_resources(harness: Harness) -> None:
    class Own:
        name = "hub"

        def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
            return tuple(hub().resources(scope))

    own: Any = Own()

    assert harness.apply(own).outcome == "succeeded"
    assert harness.plan(own).changes == ()
    assert harness.workspace().validate(own).deployment == "hub"
