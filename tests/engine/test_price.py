"""What each change costs, row by row of the update tables: how it is made, who loses connectivity, what comes after.

A case edits one of the worlds below. It says `at` which address, what is `set` or `remove`d by wire path, what stood
there before if that is not the world's value (`was`), what Azure shows beside that (`observed`), and what the plan then
says.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import (
    SUBSCRIPTION,
    Deployment,
    base,
    circuit,
    circuit_connection,
    clients,
    connection,
    gateway,
    hub,
    hub_with_spokes,
    ip_configuration,
    nat_rule,
    public_ip,
    resource_group,
    site,
)
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.engine.compare.document import ABSENT
from vpngw_iac.engine.compare.secret_masking import entry_of, stored
from vpngw_iac.engine.order.order import schedule
from vpngw_iac.engine.plan.change import Change
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import CloudIdentity, Observed, Snapshot
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.resources.dump import dump_resource, load_resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import FingerprintKey, Secret
from vpngw_iac.state.model import Binding, State

CASES = Path(__file__).parent.parent / "cases" / "price"
KEY = FingerprintKey(b"0" * 32)
IDENTITY = CloudIdentity("public", "https://management.azure.com", "t", SUBSCRIPTION)


def _sites() -> Deployment:
    """Berlin is static, Paris speaks BGP; Rome has a NAT rule; clients dial in."""
    bgp = {"asn": 65020, "bgpPeeringAddress": "192.168.11.1"}
    paris, rome = connection("paris", enableBgp=True), connection("rome")
    served = {name: ("clients of vgw-hub",) for name in ("affected",)}
    gate = gateway(
        sku="VpnGw2AZ",
        more=served,
        enableBgp=True,
        bgpSettings={"asn": 65010, "peerWeight": 0},
        **clients("one"),
    )
    deployment = hub("berlin").plus(site("paris", 1, bgpSettings=bgp), paris, site("rome", 2), rome)
    return deployment.but(gate).plus(nat_rule("overlap"))


def _expressroute() -> Deployment:
    gate = gateway(sku="ErGw1AZ", gatewayType="ExpressRoute", vpnType=None)
    return Deployment("er", (*base(), gate, circuit(), circuit_connection()))


def _spokes() -> Deployment:
    deployment = hub_with_spokes("app")
    served = gateway(more={"affected": ("clients of vgw-hub",)}, **clients("one"))
    return deployment.but(served)


WORLDS = {
    "sites": _sites,
    "expressroute": _expressroute,
    "spokes": _spokes,
    "alone": lambda: Deployment("alone", (*base(), gateway())),
    "addresses": lambda: Deployment("addresses", (resource_group(), public_ip())),
}


@cache
def _world(name: str) -> Deployment:
    return WORLDS[name]()


def _cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        for number, case in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield pytest.param(case, id=f"{path.stem}-{number:02}-{case['at'].split('/')[0]}")


@pytest.mark.parametrize("case", list(_cases()))
def test_a_change_states_its_price(case: dict[str, Any]) -> None:
    plan = planned(case)

    told = _told(plan.change(plan_id(plan, case["at"])), plan)

    expected = {name: value for name, value in case["expect"].items() if name != "also"}
    told["until"] = {name: told["until"].get(name) for name in expected.get("until", {})}
    assert expected == {name: told[name] for name in expected}, f"{case['reason']} ({case['source']})"
    for address, action in case["expect"].get("also", {}).items():
        other = next((c for c in plan.changes if c.address == address), None)
        assert (str(other.action) if other else None) == action, case["reason"]


def test_every_case_says_why_and_where_it_is_written() -> None:
    for parameters in _cases():
        (case,) = parameters.values
        assert {"reason", "source", "world", "at", "expect"} <= set(case), case
        assert case["reason"].endswith("."), case


KEY_OF_BERLIN = {"world": "sites", "at": "VpnConnection/hub/berlin", "keys": ["PSK_BERLIN"]}
BIGGER = {
    "world": "sites",
    "at": "VpnGateway/hub",
    "set": {"properties.sku.name": "VpnGw3AZ", "properties.sku.tier": "VpnGw3AZ"},
}
OTHER_AS = {"world": "sites", "at": "VpnGateway/hub", "set": {"properties.bgpSettings.asn": 65030}}
POLICY = {
    "world": "sites",
    "at": "VpnConnection/hub/berlin",
    "set": {"properties.usePolicyBasedTrafficSelectors": True},
}
NO_BERLIN = {"world": "sites", "at": "VpnConnection/hub/berlin", "delete": True}
RENAMED = {"world": "sites", "at": "VpnGateway/hub", "set": {"tags": {"env": "prod"}}}


@pytest.mark.parametrize(
    ("change", "limit", "refused"),
    [
        (RENAMED, "none", False),
        (KEY_OF_BERLIN, "none", True),
        (KEY_OF_BERLIN, "seconds", False),
        (BIGGER, "seconds", True),
        (BIGGER, "minutes", False),
        (OTHER_AS, "minutes", False),
        (OTHER_AS, "1h", True),
        (OTHER_AS, None, False),
        (KEY_OF_BERLIN, "1h", True),
        (BIGGER, "5m", True),
        (BIGGER, "1h", False),
        (BIGGER, "18m", True),
        (BIGGER, "19m", False),
        (BIGGER, "1100s", False),
        (POLICY, "none", True),
        (POLICY, "5s", True),
        (POLICY, "30s", False),
        (NO_BERLIN, "1h", True),
        (NO_BERLIN, "minutes", True),
    ],
)
def test_an_outage_that_is_longer_than_allowed_is_refused(
    change: dict[str, Any], limit: str | None, refused: bool
) -> None:
    plan = planned(change, max_outage=limit)

    assert [f.rule for f in plan.blocking] == (["V-OUTAGE-01"] if refused else [])


def test_a_refused_outage_names_who_suffers_and_how_to_allow_it() -> None:
    (finding,) = planned(BIGGER, max_outage="none").blocking
    (until,) = planned(OTHER_AS, max_outage="1h").blocking
    (removed,) = planned(NO_BERLIN, max_outage="seconds").blocking

    assert finding.address == "VpnGateway/hub"
    assert "berlin, clients of vgw-hub, paris, rome would lose connectivity for about 18 min" in finding.detail
    assert "--max-outage 19m" in finding.advice
    assert "--outage-agreed 'clients of vgw-hub'" in finding.advice
    assert "paris would lose connectivity until the device has the new AS number" in until.detail
    assert "--outage-agreed paris" in until.advice
    assert "--max-outage" not in until.advice
    assert "berlin would lose connectivity for good" in removed.detail


@pytest.mark.parametrize("change", [KEY_OF_BERLIN, NO_BERLIN, OTHER_AS, BIGGER])
def test_an_outage_that_is_agreed_by_name_is_allowed(change: dict[str, Any]) -> None:
    names = frozenset({"Berlin", "paris", "rome", "clients of vgw-hub"})

    plan = planned(change, max_outage="none", outage_agreed=names)

    assert plan.blocking == ()
    (told,) = [c.outage for c in plan.changes]
    assert told.agreed
    assert all(loss.agreed for loss in plan.losses)


def test_an_agreement_allows_nobody_else() -> None:
    plan = planned(BIGGER, max_outage="none", outage_agreed=frozenset({"berlin"}))

    (finding,) = plan.blocking
    assert "clients of vgw-hub, paris, rome would" in finding.detail
    assert not plan.changes[0].outage.agreed


def test_the_footer_adds_everybody_up_at_their_worst() -> None:
    plan = planned({**OTHER_AS, "set": {"properties.bgpSettings.asn": 65030, "properties.activeActive": True}})
    lines = plan_text(PlanView.of(plan, schedule(plan)), Style()).splitlines()

    assert lines[-2] == "Plan: 0 to add, 1 to change, 0 to destroy."
    assert lines[-1] == (
        "Time: about 23 min. Outage: paris, until the device has the new BGP addresses and the device has the new "
        "AS number; berlin, clients of vgw-hub, rome, for about 23 min."
    )


def plan_id(plan: Plan, address: str) -> ArmId:
    known = {**{a: e.id for a, e in plan.state.entries.items()}, **{a: r.id for a, r in plan.graph.resources.items()}}
    return known[address]


def _told(change: Change | None, plan: Plan) -> dict[str, Any]:
    """What a plan says about one change, in the words of the cases."""
    address = change.address if change else ""
    rules = sorted({f.rule for f in plan.findings if f.level == "error" and f.address == address and address})
    impossible = [f for f in plan.findings if f.rule == "V-CHANGE-01"]
    outage = change.outage if change else None
    minutes = schedule(plan).seconds / 60 if change else 0.0
    return {
        "action": str(change.action) if change else None,
        "outage": outage.level if outage else "none",
        "who": list(outage.who) if outage else [],
        "by_level": {level: list(who) for level, who in outage.by_level.items()} if outage else {},
        "seconds": round(outage.seconds) if outage else 0,
        "ends": outage.ends if outage else "itself",
        "until": {loss.name: loss.until for loss in outage.losses} if outage else {},
        "for_good": [loss.name for loss in outage.losses if loss.for_good] if outage else [],
        "public_ip_changes": bool(outage and outage.public_ip_changes),
        "profiles_stale": bool(outage and outage.profiles_stale),
        "rebuild": bool(change and change.rebuild),
        "long": minutes >= 15,
        "refused": rules,
        "impossible": bool(impossible),
        "way_out": " ".join(f.detail for f in impossible),
        "reason": change.reason if change else "",
    }


def planned(case: Mapping[str, Any], **options: Any) -> Plan:
    """The plan of an edited world that Azure has as it was before."""
    before = _changed(_world(case["world"]), case["at"], case.get("was", {}), ())
    after = _edited(before, case)
    old = Graph.of(before.resources(Scope(SUBSCRIPTION)))
    fingerprints = {Secret.env(n): KEY.fingerprint(n) for n in ("PSK_BERLIN", "PSK_PARIS", "PSK_ROME")}
    entries = {}
    for address, resource in old.resources.items():
        needs = tuple(target for target in old.needs(address) if target in old.by_id)
        entries[address] = entry_of(resource, needs, fingerprints, lambda _: ABSENT, None)
    blank = State.new("case", Binding(cloud="public", endpoint="", tenant="t"))
    now = fingerprints | {Secret.env(name): KEY.fingerprint("another") for name in case.get("keys", ())}
    graph = Graph.of(after.resources(Scope(SUBSCRIPTION)))
    observed = {i: Observed(i, None) for i in graph.by_id} | _observed(old, case)
    inputs = PlanInputs(
        deployment="case",
        identity=IDENTITY,
        state_url="",
        graph=graph,
        state=blank.model_copy(update={"entries": entries}),
        snapshot=Snapshot(observed),
        fingerprints=now,
        options=Options(replace=frozenset({case["at"]} if case.get("replace") else ()), **options),
    )
    return make_plan(inputs)


def _observed(graph: Graph, case: Mapping[str, Any]) -> dict[ArmId, Observed]:
    found = {}
    for address, resource in graph.resources.items():
        document = stored(resource.body(), lambda _: ABSENT)
        document.setdefault("properties", {})["provisioningState"] = "Succeeded"
        document["properties"].pop("sharedKey", None)
        for path, value in case.get("observed", {}).get(address, {}).items():
            _set(document, path, value)
        found[resource.id] = Observed(resource.id, document)
    return found


def _edited(before: Deployment, case: Mapping[str, Any]) -> Deployment:
    if case.get("delete"):
        return before.without(case["at"])
    if case.get("create"):
        return before.plus(_built(case["create"], case["at"]))
    was = _world(case["world"]) if case.get("was") else before
    return _changed(was, case["at"], case.get("set", {}), case.get("remove", ()))


def _changed(before: Deployment, address: str, changes: Mapping[str, Any], removed: Collection[str]) -> Deployment:
    """The deployment with paths of one resource set to other values."""
    if not changes and not removed:
        return before
    item = before.at(address)
    assert not isinstance(item, Existing)
    document = copy.deepcopy(dump_resource(item))
    for path, value in [*changes.items(), *((path, None) for path in removed)]:
        _set(document["body"], path, value)
    return before.but(load_resource(_pruned(document)))


def _built(kind: Mapping[str, Any], address: str) -> Any:
    return load_resource({"address": address, "needs": [], **kind})


def _set(document: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        document = document[int(step)] if step.isdigit() else document.setdefault(step, {})
    if last == "+":
        document.append(ip_configuration_of(value))
    elif last.isdigit():
        document.insert(int(last), value)
    else:
        document[last] = value


def ip_configuration_of(number: int) -> dict[str, Any]:
    """One more instance, in wire form."""
    made = ip_configuration(f"ip{number}", number)
    inner = made["properties"]
    shown = {name: {"id": str(reference.id)} for name, reference in inner.items()}
    return {"name": made["name"], "properties": shown}


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(item) for name, item in value.items() if item is not None}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
