"""What is alike is said once: a plan of many resources stays readable, and nothing that differs is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.test_plan_reports import PLAIN, view_of
from tests.report.worlds import creation, hub, plan_of
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.errors import Finding
from vpngw_iac.report import formatting, view
from vpngw_iac.report.markdown import plan_markdown
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.findings import findings_text
from vpngw_iac.report.text.groups import said_once
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.secret import Secret


def test_equal_connections_are_said_once_and_counted() -> None:
    text = plan_text(view_of(creation(hub(25))), PLAIN)

    assert "and 24 VPN connections like this one: munich, site-03" in text
    assert text.count("connectionType") == 1
    assert len(text.splitlines()) < 120


def test_what_differs_in_a_few_values_is_told_by_these_in_a_line() -> None:
    lines = plan_text(view_of(creation(hub(25))), PLAIN).splitlines()

    (munich,) = (line for line in lines if "LocalNetworkGateway/vgw-hub/munich  " in line)
    assert 'gatewayIpAddress "203.0.113.11"' in munich
    assert '["192.168.11.0/24"]' in munich
    assert sum("203.0.113." in line for line in lines) >= 25


def test_two_that_are_alike_are_both_told_in_full() -> None:
    assert plan_text(view_of(creation(hub(2))), PLAIN).count("connectionType") == 2


def test_colours_change_no_grouping() -> None:
    import re

    view = view_of(creation(hub(25)))

    assert plan_text(view, PLAIN) == re.sub(r"\x1b\[[0-9;]*m", "", plan_text(view, Style(colour=True)))


def test_a_name_that_is_part_of_another_word_makes_nothing_alike() -> None:
    blocks = [(f"X/{name}", [f"    + X/{name}  create", f"      kind  {value}"]) for name, value in PAIRS]

    assert [len(block) for block in said_once(blocks, PLAIN)] == [4]
    assert "and 1 x like this one: c" in "".join(said_once(blocks, PLAIN)[0])


PAIRS = (("a", "cable"), ("b", "table"), ("c", "cable"))


def test_what_is_alike_is_of_one_kind() -> None:
    """A delete has no values, so that all of them look alike."""
    graph = hub(4)
    gone = [Change(address, r.id, Action.DELETE) for address, r in graph.resources.items()]

    text = plan_text(view_of(plan_of(graph, *gone)), PLAIN)

    assert "and 3 VPN connections like this one: munich, site-03, site-04" in text
    assert "and 3 local network gateways like this one: munich, site-03, site-04" in text
    assert "    - VirtualNetwork/vnet-hub  delete" in text.splitlines()


def test_what_is_alike_elsewhere_is_named_with_where_it_is() -> None:
    names = ("vnet-a/GatewaySubnet", "vnet-a/b", "vnet-c/GatewaySubnet")
    blocks = [(f"Subnet/{name}", [f"    - Subnet/{name}  delete"]) for name in names]

    (block,) = said_once(blocks, PLAIN)

    assert block[1:] == ["      and 2 subnets like this one: b, vnet-c/GatewaySubnet"]


def test_a_short_plan_has_a_line_for_each_change_and_each_finding() -> None:
    graph = hub(25)
    address = "VpnConnection/vgw-hub/berlin"
    difference = Difference("properties.dpdTimeoutSeconds", "edit", 30, 45, 45)
    changes = (Change(address, graph.resources[address].id, Action.UPDATE, (difference,)),)
    finding = Finding("R-X-01", "error", address, "Too short", "It is short.", location="hub.py:7")
    plan = replace(plan_of(graph, *creation(graph).changes[:5], *changes), findings=(finding,))

    lines = plan_text(view_of(plan), PLAIN, short=True).splitlines()

    assert f"    ~ {address}  update in place: dpdTimeoutSeconds" in lines
    assert "Error    R-X-01  VpnConnection/vgw-hub/berlin  Too short (hub.py:7)" in lines
    assert len(lines) == 1 + 1 + 6 + 1 + 1 + 1 + 4  # the footer has the decision digest


def test_a_plan_of_a_thousand_sites_that_changes_nothing_is_short() -> None:
    sites = [f"VpnConnection/vgw-hub/site-{n}" for n in range(1000)]
    weak = [Finding("R-SEC-03", "warning", site, "Weak", "It has no IPsec policy.", "Add one.") for site in sites]
    secret = [
        Finding("V-SECRET-03", "warning", s, "Not here", f"env:{s[-4:]} is not set.", f"Export {s}") for s in sites
    ]
    known = [Finding("R-PSK-03", "info", site, "Short", f"{site} is short.") for site in sites]
    waived = [Finding("R-LNG-06", "warning", site, "Overlaps", waived="moves in May") for site in sites]
    unread = tuple(f"{site}: properties.sharedKey" for site in sites)

    view = replace(view_of(plan_of(hub(1), unread=unread)), findings=(*weak, *secret, *known, *waived))

    text = plan_text(view, PLAIN)
    assert len(text.splitlines()) <= 60
    assert "Waived   R-LNG-06  VpnConnection/vgw-hub/site-0 and 999 more  Overlaps (waived: moves in May)" in text
    assert "properties.sharedKey of 1000 VPN connections: VpnConnection/vgw-hub/site-0," in text


def test_findings_of_validate_that_say_the_same_are_said_once_with_their_lines() -> None:
    found = [Finding("R-SEC-03", "warning", f"C/{n}", "Weak", "None.", location=f"hub.py:{n}") for n in (1, 2, 3)]
    other = Finding("R-SEC-03", "warning", "C/4", "Weak", "It has a weak one.", location="hub.py:4")

    text = findings_text([*found, other], PLAIN)

    assert text.count("Weak") == 2
    assert "Also: C/2 (hub.py:2), C/3 (hub.py:3)" in text
    assert "4 warnings" in text


def test_a_rotated_key_is_never_told_as_none() -> None:
    graph = hub(1)
    address = "VpnConnection/vgw-hub/berlin"
    rotated = Difference("properties.sharedKey", "edit", Secret.env("NEW"), Secret.env("OLD"), None)
    view = view_of(plan_of(graph, Change(address, graph.resources[address].id, Action.UPDATE, (rotated,))))

    for text in (plan_text(view, PLAIN), plan_text(view, PLAIN, short=True), plan_markdown(view)):
        assert "(none)" not in text
    assert "sharedKey  (not verified) -> (sensitive)" in plan_text(view, PLAIN)


def test_each_change_is_judged_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at all changes for each of them made the plan of a thousand sites take half a minute."""
    judged: list[Change] = []
    flattened: list[object] = []
    ended, flat = formatting.ended, view.flat
    monkeypatch.setattr(formatting, "ended", lambda change: judged.append(change) or ended(change))
    monkeypatch.setattr(view, "flat", lambda *given: flattened.append(given[1]) or flat(*given))

    plan = view_of(creation(hub(25)))
    plan_text(plan, PLAIN)
    plan_markdown(plan)

    assert len(judged) == len(plan.changes)
    assert len({id(names) for names in flattened}) == 1, "the addresses of all ids are gathered once"
