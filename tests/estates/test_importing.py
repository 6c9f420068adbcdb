"""Estates taken over: the plan is empty, everything is accounted for, the text is clean and says nothing twice."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architectures.edits import found, rewrite
from tests.estates import FOLDER, estate, per_estate
from tests.estates.desk import Desk
from vpngw_iac import Circuit, Secret, Site, SiteToSite, Topology, VirtualNetwork, VpnGateway
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.engine.plan.inputs import DEPLOYMENT_TAG as MARK
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import Refused
from vpngw_iac.preflight.limits import NON_AZ_SKUS


@pytest.fixture
def desk(file: Path | None, tmp_path: Path) -> Desk:
    return Desk(tmp_path, estate(file))


@per_estate()
def test_an_estate_is_taken_over_and_nothing_changes(desk: Desk) -> None:
    imported = desk.take()

    assert imported.differing == ()
    assert {request.method for request in desk.simulator.requests} == {"GET"}
    accounted = {account.id for account in imported.accounts}
    assert set(desk.documents) <= accounted
    assert all(account.why for account in imported.accounts if account.fate != "managed")
    plan = desk.workspace.plan(desk.blueprint())
    assert plan.changes == ()
    assert plan.blocking == ()
    assert not desk.workspace.drift(desk.blueprint()).alarming
    assert not [f for f in desk.workspace.validate(desk.blueprint()).findings if f.blocks]


@per_estate()
def test_the_text_is_clean_and_says_no_id_and_no_secret_twice(desk: Desk) -> None:
    desk.take()

    text = desk.file.read_text(encoding="utf-8")
    ids = [found.lower() for found in re.findall(r"/subscriptions/[^\s\"'),]+", text)]
    assert len(set(ids)) == len(ids)
    assert not [key for key in desk.content["secrets"].values() if key in text]
    for command in (
        ("format", "--check", "--isolated"),
        ("check", "--isolated", "--select", "ALL", "--ignore", "CPY,D,E501,ERA,INP"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(desk.file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@per_estate()
def test_importing_twice_gives_the_same_text(desk: Desk, tmp_path: Path) -> None:
    first = desk.take().text
    desk.file.unlink()

    assert desk.take().text == first


def _tagged(blueprint: Blueprint) -> tuple[Blueprint, str]:
    """One more tag on the first thing of ours that has tags, and the ARM type of that."""
    for noun in (VirtualNetwork, Circuit):
        first = next(iter(found(blueprint, noun)), None)
        if first is not None:
            edited = {**first.tags, "edited": "yes"}

            def change(part: Any, first: Any = first, edited: Any = edited) -> Any:
                return part.model_copy(update={"tags": edited}) if part == first else part

            return rewrite(blueprint, noun, change), first.address_name
    raise AssertionError("nothing is ours")


@per_estate()
def test_a_tag_is_the_only_change_that_follows(desk: Desk) -> None:
    desk.take()
    edited, name = _tagged(desk.blueprint())

    plan = desk.workspace.plan(edited)

    assert [(str(change.action), change.address.rpartition("/")[2]) for change in plan.changes] == [("tag", name)]
    outcome = desk.workspace.apply(edited)
    assert outcome.outcome == "succeeded"
    assert desk.workspace.plan(edited).changes == ()


def _widened(blueprint: Blueprint) -> Iterator[tuple[Blueprint, VpnGateway]]:
    """The blueprint with one more site, for each VPN gateway of ours: in its list of sites, or in a new one."""
    site = Site(name="lisbon", public_ip="192.0.2.77", prefixes=["192.168.177.0/24"], shared_key=Secret.env("LISBON"))
    parts = getattr(blueprint, "blueprints", None) or (blueprint,)
    for gateway in found(blueprint, VpnGateway):
        home = next((part for part in parts if gateway in (_gateway_of(part),) and hasattr(part, "sites")), None)
        if home is None:
            more = SiteToSite(name="more", gateway=gateway, sites=[site])
            kept = {name: getattr(blueprint, name) for name in ("naming", "tags", "waive")}
            yield Topology(name=blueprint.name, blueprints=(*parts, more), **kept), gateway
            continue
        wider = home.model_copy(update={"sites": (*home.sites, site)})
        inner = tuple(wider if part is home else part for part in parts)
        yield wider if home is blueprint else blueprint.model_copy(update={"blueprints": inner}), gateway


def _gateway_of(part: Blueprint) -> Any:
    return getattr(part, "vpn", None) or getattr(part, "gateway", None)


@per_estate()
def test_a_new_site_is_planned_alone_and_applied_or_refused_by_its_rule(desk: Desk) -> None:
    """R-SKU-04: a gateway of a retired SKU takes none before it moves; which rule refuses is named, nothing is sent."""
    desk.take()
    desk.environment = {"LISBON": "a-long-key-of-Lisbon-2026"}
    takes: list[Blueprint] = []
    for edited, gateway in _widened(desk.blueprint()):
        plan = desk.workspace.plan(edited)
        assert {str(change.action) for change in plan.changes} == {"create"}
        assert sorted(change.address for change in plan.changes) == [
            f"{noun}/{gateway.address_name}/lisbon" for noun in ("LocalNetworkGateway", "VpnConnection")
        ]
        if gateway.sku in NON_AZ_SKUS:
            assert [finding.rule for finding in plan.blocking] == ["R-SKU-04"]
            with pytest.raises(Refused) as refused:
                desk.workspace.apply(edited)
            assert "R-SKU-04" in {finding.rule for finding in refused.value.findings}
            assert {request.method for request in desk.simulator.requests} <= {"GET", "POST"}
            continue
        assert plan.blocking == ()
        takes.append(edited)
    for edited in takes[:1]:
        assert desk.workspace.apply(edited).outcome == "succeeded"
        assert desk.workspace.plan(edited).changes == ()


@per_estate()
def test_marks_are_written_and_nothing_else(desk: Desk) -> None:
    desk.take()
    before = desk.simulator.documents()
    plan = desk.workspace.plan(desk.blueprint())
    assert plan.unmarked
    if any((d.get("properties") or {}).get("level") == "ReadOnly" for d in before.values()):
        with pytest.raises(Refused, match="refuses this apply"):
            desk.workspace.apply(desk.blueprint(), options=Options(mark=True))
        return

    outcome = desk.workspace.apply(desk.blueprint(), options=Options(mark=True))

    assert outcome.outcome == "succeeded"
    assert {request.method for request in desk.simulator.requests} <= {"GET", "PATCH", "POST"}
    after = desk.simulator.documents()
    changed = {ArmId(i) for i in after if after[i].get("tags") != before[i].get("tags")}
    assert changed == {plan.graph.resources[address].id for address in plan.unmarked}
    assert desk.workspace.plan(desk.blueprint()).unmarked == ()
    assert desk.workspace.plan(desk.blueprint()).changes == ()


@per_estate()
def test_what_bears_the_mark_of_another_deployment_is_used_or_left_alone(desk: Desk) -> None:
    """Each in turn of a few kinds: it is never managed, never planned, and the reason names its owner."""
    kinds = ("virtualNetworks", "virtualNetworkGateways", "connections", "localNetworkGateways", "expressRouteCircuits")
    first = {i.type.rpartition("/")[2]: i for i in sorted(desk.documents, reverse=True)}
    theirs = {identity for kind in kinds if (identity := first.get(kind)) is not None}
    desk.simulator.load(
        [{**desk.documents[i], "tags": {**(desk.documents[i].get("tags") or {}), MARK: "theirs"}} for i in theirs]
    )

    imported = desk.take()

    accounts = {account.id: account for account in imported.accounts}
    assert {accounts[i].fate for i in theirs} <= {"used", "left"}
    assert imported.differing == ()
    plan = desk.workspace.plan(desk.blueprint())
    assert plan.changes == ()
    assert not theirs & {plan.graph.resources[address].id for address in plan.unmarked}


def test_written_files_pass_mypy_strict(tmp_path: Path) -> None:
    """One process for several estates."""
    files = sorted(FOLDER.glob("*.json"))[::3] or [None]
    for number, file in enumerate(files):
        folder = tmp_path / f"estate_{number}"
        folder.mkdir()
        desk = Desk(folder, estate(file))
        desk.take(file=tmp_path / f"estate_{number}.py")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent",
         f"--cache-dir={tmp_path}", *map(str, tmp_path.glob("*.py"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


@per_estate()
def test_few_calls_are_needed(desk: Desk) -> None:
    """A dozen for each group, one for each gateway, circuit and network, and one where a LIST is no proof."""
    desk.take()

    kinds = [identity.type.rpartition("/")[2].lower() for identity in desk.documents]
    counted = sum(kinds.count(kind) for kind in ("virtualnetworkgateways", "expressroutecircuits", "virtualnetworks"))
    failed = sum((d.get("properties") or {}).get("provisioningState") == "Failed" for d in desk.documents.values())
    allowed = 12 * kinds.count("resourcegroups") + counted + failed
    asked = [f"{request.method} {request.path}" for request in desk.simulator.requests]
    assert len(asked) <= allowed, "\n".join(asked)


def test_what_was_failed_is_repaired_only_when_asked_for(tmp_path: Path) -> None:
    files = {file.stem: file for file in FOLDER.glob("nasty-*.json")}
    desk = Desk(tmp_path, estate(files.get("nasty-legacy-hub")))
    imported = desk.take()
    failed = imported.broken[0]

    plain = desk.workspace.plan(desk.blueprint())
    asked = desk.workspace.plan(desk.blueprint(), Options(repair=True))

    assert plain.changes == ()
    assert plain.broken_at_import == (failed,)
    assert [(change.action.value, change.address) for change in asked.changes] == [("repair", failed)]
    assert asked.broken_at_import == ()
