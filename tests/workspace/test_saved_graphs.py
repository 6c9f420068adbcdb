"""A saved graph plans like its blueprint, and gets nothing that its writer could not read: it is hostile data."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_certificates_in_a_vault import SECRET, VAULT, clients, pem
from tests.worlds import SUBSCRIPTION, connection, hub, hub_without_gateway, network, site
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.plan import saved_graph
from vpngw_iac.errors import PlanError, Refused, UsageError, VpngwError
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import Secret

BLUEPRINTS = Path(__file__).parent.parent.parent / "blueprints"
OTHER = "22222222-2222-4222-8222-222222222222"


def graph_of(harness: Harness, what: Any, file: Any = None) -> dict[str, Any]:
    return json.loads(json.dumps(harness.workspace().save_graph(what, file)))


def planned(harness: Harness, document: dict[str, Any], **settings: Any) -> Any:
    workspace = harness.workspace(**settings)
    return workspace.plan(workspace.load_graph(document))


def decisions(harness: Harness, plan: Any) -> str:
    return str(harness.workspace().save_plan(plan)["decision_digest"])


@pytest.mark.parametrize("file", sorted(BLUEPRINTS.glob("*.py")), ids=lambda file: file.stem)
def test_a_graph_decides_what_its_blueprint_decides(harness: Harness, file: Path) -> None:
    if "existing" in file.read_text() or file.stem == "vnet_to_vnet_subscriptions":
        pytest.skip("it names what is there already, or other subscriptions")
    loaded = load(file)

    plan = planned(harness, graph_of(harness, loaded.blueprint, loaded))

    said = harness.plan(loaded.blueprint)
    assert decisions(harness, plan) == decisions(harness, said)
    assert {(f.rule, f.address, f.level) for f in plan.findings if f.rule != "V-SECRET-03"} == {
        (f.rule, f.address, f.level) for f in said.findings if f.rule != "V-SECRET-03"
    }
    assert all(f.location.startswith(str(file)) for f in plan.findings if f.address.startswith("VpnGateway/"))


def test_an_edit_decides_the_same_where_the_secrets_can_be_read_and_where_not(harness: Harness) -> None:
    harness.create(hub("berlin"))
    after = hub("berlin").plus(site("rome", 9), connection("rome"))

    assert decisions(harness, planned(harness, graph_of(harness, after))) == decisions(harness, harness.plan(after))


def test_a_rename_that_the_file_says_is_planned(harness: Harness) -> None:
    harness.create(hub_without_gateway("berlin"))
    moved = hub_without_gateway().plus(site("hamburg")).named(moved={"berlin": "hamburg"})

    document = graph_of(harness, moved)

    assert decisions(harness, planned(harness, document)) == decisions(harness, harness.plan(moved))


def test_no_secret_is_looked_up_whatever_the_graph_names(harness: Harness) -> None:
    """Who wrote the graph must not choose what is read, from the environment, a file, or a vault of his own."""
    harness.create(hub("berlin"))
    (harness.folder / "open.txt").write_text("0123456789abcdef\n")
    (harness.folder / "open.txt").chmod(0o644)
    names = ("berlin", "rome", "oslo")
    references = (Secret.env("PSK_ROME"), Secret.file("open.txt"), Secret.key_vault("https://evil.invalid", "psk"))
    parts = [connection(name, sharedKey=reference) for name, reference in zip(names, references, strict=True)]
    after = hub("berlin").but(parts[0]).plus(site("rome", 8), parts[1], site("oslo", 9), parts[2])

    plan = planned(harness, graph_of(harness, after))

    told = [finding for finding in plan.findings if finding.rule.startswith("V-SECRET-")]
    assert {finding.rule for finding in told} == {"V-SECRET-03"}
    assert all("looks up no secret" in finding.detail for finding in told)
    assert [item.why for item in plan.secrets] == ["not readable here"]
    assert harness.simulator.vault.get("https://evil.invalid", "psk") is None


def test_a_certificate_of_a_vault_is_not_read_and_is_no_change(harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    blueprint = harness.create(clients())
    harness.simulator.vault.put(VAULT, SECRET, pem("expiring"))

    assert planned(harness, graph_of(harness, blueprint)).changes == ()


def test_its_plan_is_never_sealed_and_never_applied(harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    workspace = harness.workspace()
    graph = workspace.load_graph(graph_of(harness, deployment))
    plan = workspace.plan(graph)

    document = workspace.save_plan(plan)

    assert document["sealed"] is False
    for what in (graph, plan):
        with pytest.raises(UsageError, match="planned, and never applied"):
            workspace.apply(what)
    with pytest.raises(Refused, match="not sealed"):
        workspace.load_plan(document)
    assert harness.writes() == []


# --- hostile ----------------------------------------------------------------------------------------------------------


def in_other(text: str) -> str:
    return text.replace(SUBSCRIPTION, OTHER)


def everywhere(document: dict[str, Any]) -> None:
    document["graph"] = json.loads(in_other(json.dumps(document["graph"])))


def inside_a_body(document: dict[str, Any]) -> None:
    found = next(item for item in document["graph"] if item["address"].startswith("VpnConnection/"))
    peer = found["body"]["properties"]["localNetworkGateway2"]
    peer["id"] = in_other(peer["id"])


def what_exists(document: dict[str, Any]) -> None:
    document["existing"].append(
        {"address": "Secrets/of-others", "id": in_other(document["graph"][0]["id"]), "facts": {}, "tenant": None}
    )


def an_output(document: dict[str, Any]) -> None:
    source = f"/subscriptions/{OTHER}/resourceGroups/r/providers/Microsoft.Network/publicIPAddresses/p"
    found = next(item for item in document["graph"] if item["address"].startswith("LocalNetworkGateway/"))
    found["body"]["properties"]["gatewayIpAddress"] = {
        "$output": {"source": source, "path": "properties.ipAddress", "secret": False}
    }


def nested_in_an_id(document: dict[str, Any]) -> None:
    document["graph"][0]["id"] += f"/providers/Microsoft.X/y/z/subscriptions/{OTHER}"


@pytest.mark.parametrize("spoil", [everywhere, inside_a_body, what_exists, an_output, nested_in_an_id])
def test_another_subscription_is_refused_wherever_it_stands(
    harness: Harness, spoil: Callable[[dict[str, Any]], None]
) -> None:
    document = graph_of(harness, hub("berlin"))
    spoil(document)

    with pytest.raises((Refused, PlanError)):
        planned(harness, document)
    assert harness.reads() == []


def test_a_subscription_that_is_configured_may_be_named(harness: Harness) -> None:
    document = graph_of(harness, hub_without_gateway("berlin"))
    everywhere(document)

    assert harness.workspace(allowed_subscriptions=(OTHER,)).load_graph(document).items
    with pytest.raises(Refused, match="not configured here") as told:
        harness.workspace().load_graph(document)
    assert "VPNGW_ALLOWED_SUBSCRIPTIONS" in told.value.advice


def test_another_tenant_is_refused_unless_it_is_configured(harness: Harness) -> None:
    document = graph_of(harness, hub_without_gateway("berlin"))
    document["graph"][1]["tenant"] = OTHER

    with pytest.raises(Refused, match="names the tenant"):
        harness.workspace().load_graph(document)
    assert harness.workspace(allowed_tenants=(OTHER,)).load_graph(document).items


@pytest.mark.parametrize("path", ["/../x", "?api-version=1", "/%2e%2e/x", "#x", "/./x"])
def test_an_id_that_wanders_is_none(harness: Harness, path: str) -> None:
    document = graph_of(harness, hub_without_gateway("berlin"))
    document["graph"][1]["id"] += path

    with pytest.raises(VpngwError):
        planned(harness, document)
    assert harness.reads() == []


def replaced(document: Any, value: Any) -> list[Any]:
    """The document once for each place in it, with the value there."""
    found: list[Any] = []

    def walk(inner: Any, put: Callable[[Any], Any]) -> None:
        found.append(put(value))
        if isinstance(inner, dict):
            for key in inner:
                walk(inner[key], lambda new, key=key: put({**inner, key: new}))
        elif isinstance(inner, list) and inner:
            walk(inner[0], lambda new: put([new, *inner[1:]]))

    walk(document, lambda new: new)
    return found


@pytest.mark.parametrize("value", [None, 7, -1.5, True, "x", [], {}, [[]], {"$secret": {"source": "env"}}], ids=repr)
def test_whatever_stands_anywhere_is_told_and_no_bug(harness: Harness, value: Any) -> None:
    """Each place of a graph holds something else: it is refused in words, or planned."""
    existing = Existing("VirtualNetwork/old", network("old").id, {"location": "westeurope"})
    document = graph_of(harness, hub("berlin").plus(existing))
    workspace = harness.workspace()
    for number, spoilt in enumerate(replaced(document, value)):
        if not isinstance(spoilt, dict):
            continue
        try:
            graph = workspace.load_graph(copy.deepcopy(spoilt))
            if number % 9 == 0:
                workspace.plan(graph)
        except VpngwError as error:
            assert error.advice  # noqa: PT017 - any of them is right, as long as it says what to do


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda d: d["graph"].extend(d["graph"] * saved_graph.MOST_ITEMS), "items"),
        (lambda d: d["moved"].update({"a": "x" * (saved_graph.MOST_TEXT + 1)}), "characters"),
        (lambda d: d["existing"].append(deep(saved_graph.MOST_NESTED + 1)), "deep"),
    ],
)
def test_a_huge_graph_is_refused_before_it_is_read(harness: Harness, spoil: Callable[[Any], None], match: str) -> None:
    document = graph_of(harness, hub_without_gateway())
    spoil(document)

    with pytest.raises(PlanError, match=match):
        harness.workspace().load_graph(document)


def deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


def test_a_graph_of_a_later_format_is_told_so(harness: Harness) -> None:
    document = graph_of(harness, hub_without_gateway()) | {"format": saved_graph.FORMAT + 1}

    with pytest.raises(PlanError, match="reads formats up to") as told:
        harness.workspace().load_graph(document)
    assert told.value.advice.startswith("Use a newer version")
