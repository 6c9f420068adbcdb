"""Shared keys that are at hand are judged, by validate, plan and `secret check`; their values are never shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import GROUP, REGION
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
from vpngw_iac.errors import Finding
from vpngw_iac.secret import EnvironmentSecret, LocalSecrets, Remembered, Secret, SecretReference, SecretValue

HYPHEN = "markerOfThisTest-0123456789"
TILDE = "markerOfThisTest~0123456789"
SHORT = "markerShort01234567"
GOOD = "markerGood0123456789abc"


def gateway(name: str = "hub", number: int = 1) -> VpnGateway:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location=REGION,
        resource_group=GROUP,
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )
    return VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw2AZ")


def hub(key: SecretReference | None = None, **more: Any) -> SiteToSite:
    site = Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=key or Secret.env("PSK_BERLIN"),
        ipsec=IpsecPolicy.strong(),
        **more,
    )
    return SiteToSite(name="hub", gateway=gateway(), sites=[site])


def keys(found: tuple[Finding, ...]) -> dict[str, str]:
    """Level of what was said about keys, by rule."""
    return {finding.rule: finding.level for finding in found if finding.rule.startswith("R-PSK-")}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TILDE, {"R-PSK-01": "error"}),
        (HYPHEN, {"R-PSK-01": "warning"}),
        (SHORT, {"R-PSK-03": "warning"}),
        ("k" * 129, {"R-PSK-02": "error"}),
        (GOOD, {}),
    ],
)
def test_validate_judges_a_key_in_a_variable_without_showing_it(
    bench: Bench, value: str, expected: dict[str, str]
) -> None:
    bench.environment["PSK_BERLIN"] = value

    found = bench.workspace().validate(hub()).findings

    assert keys(found) == expected
    assert value not in repr(found)


def test_validate_judges_a_key_in_a_file_beside_the_blueprint(bench: Bench) -> None:
    (bench.folder / "keys").mkdir()
    (bench.folder / "keys" / "berlin").write_text(TILDE + "\n", encoding="utf-8")

    found = bench.workspace().beside(bench.folder / "hub.py").validate(hub(Secret.file("keys/berlin"))).findings

    assert keys(found) == {"R-PSK-01": "error"}
    assert TILDE not in repr(found)


def test_a_key_that_is_not_at_hand_is_not_judged(bench: Bench) -> None:
    bench.environment.clear()

    in_variable = bench.workspace().validate(hub()).findings
    in_vault = bench.workspace().validate(hub(Secret.key_vault("kv-hub", "berlin"))).findings

    assert keys(in_variable) == {}
    assert keys(in_vault) == {}


def test_a_plan_judges_a_key_in_a_vault_before_a_gateway_is_begun(bench: Bench) -> None:
    bench.environment["VPNGW_SECRET_BERLIN"] = TILDE

    plan = bench.plan(hub(Secret.key_vault("kv-hub", "berlin")))

    assert keys(plan.findings) == {"R-PSK-01": "error"}
    assert plan.blocking != ()
    assert TILDE not in repr(plan.findings)


def test_a_key_that_works_is_no_reason_to_refuse_another_change(bench: Bench) -> None:
    """The near miss of false alarms: a short key that is in use, and nobody edits it today."""
    bench.environment["PSK_BERLIN"] = SHORT
    bench.create(hub())

    plan = bench.plan(hub(dpd=60), profile="strict")

    assert [change.address for change in plan.changes] == ["VpnConnection/vgw-hub/berlin"]
    assert keys(plan.findings) == {"R-PSK-03": "info"}


def test_both_ends_of_a_pair_may_name_different_secrets_of_one_value(bench: Bench) -> None:
    a, b = gateway("a", 1), gateway("b", 2)
    pair = Pair(a=a, b=b, shared_key=Secret.env("PSK_PAIR"), ipsec=IpsecPolicy.strong(), manage="both")
    bench.environment["PSK_PAIR"] = GOOD

    found = bench.workspace().validate(VnetToVnet(name="pair", pairs=[pair])).findings

    assert keys(found) == {}


def test_checking_secrets_judges_the_keys_that_it_resolves(bench: Bench) -> None:
    bench.environment["PSK_BERLIN"] = TILDE

    checks = bench.workspace().check_secrets(hub())

    assert [check.ok for check in checks] == [True]
    assert keys(checks[0].findings) == {"R-PSK-01": "error"}
    assert TILDE not in repr(checks)


def test_a_profile_makes_errors_of_warnings_in_validate_and_in_plan(bench: Bench) -> None:
    bench.environment["PSK_BERLIN"] = SHORT

    validated = bench.workspace().validate(hub(), profile="strict").findings
    configured = bench.workspace(profile="strict").validate(hub()).findings
    planned = bench.plan(hub(), profile="strict").findings

    assert keys(validated) == keys(configured) == keys(planned) == {"R-PSK-03": "error"}


def test_a_secret_is_asked_for_once_and_after_it_was_made_again() -> None:
    class Counting(LocalSecrets):
        asked = 0

        def resolve(self, reference: SecretReference) -> SecretValue:
            Counting.asked += 1
            return super().resolve(reference)

    missing, there = EnvironmentSecret(name="MISSING"), EnvironmentSecret(name="THERE")
    source = Remembered(Counting({"THERE": "value"}))

    found = [source.reveal(one) for one in (missing, there, missing, there)]
    source.prepare(there)
    source.resolve(there)

    assert found == [None, "value", None, "value"]
    assert Counting.asked == 3
