"""Shared keys that are at hand are judged, by validate, plan and `secret check`; their values are never shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
from vpngw_iac.errors import Finding
from vpngw_iac.secret import CachedSecrets, EnvironmentSecret, LocalSecrets, Secret, SecretReference, SecretValue

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
    harness: Harness, value: str, expected: dict[str, str]
) -> None:
    harness.environment["PSK_BERLIN"] = value

    found = harness.workspace().validate(hub()).findings

    assert keys(found) == expected
    assert value not in repr(found)


def test_validate_judges_a_key_in_a_file_beside_the_blueprint(harness: Harness) -> None:
    (harness.folder / "keys").mkdir()
    (harness.folder / "keys" / "berlin").write_text(TILDE + "\n", encoding="utf-8")

    found = harness.workspace().beside(harness.folder / "hub.py").validate(hub(Secret.file("keys/berlin"))).findings

    assert keys(found) == {"R-PSK-01": "error"}
    assert TILDE not in repr(found)


def test_a_key_that_is_not_at_hand_is_not_judged(harness: Harness) -> None:
    harness.environment.clear()

    in_variable = harness.workspace().validate(hub()).findings
    in_vault = harness.workspace().validate(hub(Secret.key_vault("kv-hub", "berlin"))).findings

    assert keys(in_variable) == {}
    assert keys(in_vault) == {}


def test_a_plan_judges_a_key_in_a_vault_before_a_gateway_is_begun(harness: Harness) -> None:
    harness.environment["VPNGW_SECRET_BERLIN"] = TILDE

    plan = harness.plan(hub(Secret.key_vault("kv-hub", "berlin")))

    assert keys(plan.findings) == {"R-PSK-01": "error"}
    assert plan.blocking != ()
    assert TILDE not in repr(plan.findings)


def test_a_key_that_works_is_no_reason_to_refuse_another_change(harness: Harness) -> None:
    """The near miss of false alarms: a short key that is in use, and nobody edits it today."""
    harness.environment["PSK_BERLIN"] = SHORT
    harness.create(hub())

    plan = harness.plan(hub(dpd=60), profile="strict")

    assert [change.address for change in plan.changes] == ["VpnConnection/vgw-hub/berlin"]
    assert keys(plan.findings) == {"R-PSK-03": "info"}


def test_both_ends_of_a_pair_may_name_different_secrets_of_one_value(harness: Harness) -> None:
    a, b = gateway("a", 1), gateway("b", 2)
    pair = Pair(a=a, b=b, shared_key=Secret.env("PSK_PAIR"), ipsec=IpsecPolicy.strong(), manage="both")
    harness.environment["PSK_PAIR"] = GOOD

    found = harness.workspace().validate(VnetToVnet(name="pair", pairs=[pair])).findings

    assert keys(found) == {}


def test_checking_secrets_judges_the_keys_that_it_resolves(harness: Harness) -> None:
    harness.environment["PSK_BERLIN"] = TILDE

    checks = harness.workspace().check_secrets(hub())

    assert [check.ok for check in checks] == [True]
    assert keys(checks[0].findings) == {"R-PSK-01": "error"}
    assert TILDE not in repr(checks)


def test_a_profile_makes_errors_of_warnings_in_validate_and_in_plan(harness: Harness) -> None:
    harness.environment["PSK_BERLIN"] = SHORT

    validated = harness.workspace().validate(hub(), profile="strict").findings
    configured = harness.workspace(profile="strict").validate(hub()).findings
    planned = harness.plan(hub(), profile="strict").findings

    assert keys(validated) == keys(configured) == keys(planned) == {"R-PSK-03": "error"}


def test_a_secret_is_asked_for_once_and_after_it_was_made_again() -> None:
    class Counting(LocalSecrets):
        asked = 0

        def resolve(self, reference: SecretReference) -> SecretValue:
            Counting.asked += 1
            return super().resolve(reference)

    missing, there = EnvironmentSecret(name="MISSING"), EnvironmentSecret(name="THERE")
    source = CachedSecrets(Counting({"THERE": "value"}))

    found = [source.reveal(one) for one in (missing, there, missing, there)]
    source.prepare(there)
    source.resolve(there)

    assert found == [None, "value", None, "value"]
    assert Counting.asked == 3
