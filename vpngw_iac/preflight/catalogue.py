"""The whole table of rules: those that functions check, and the others with how they are kept or why they cannot be."""

from __future__ import annotations

import functools

from vpngw_iac.preflight.registry import Rule, Status, Weight, checked_rules, sort_key
from vpngw_iac.preflight.unchecked import IMPLIED, UNKNOWABLE
from vpngw_iac.preflight.vpngw_rules import vpngw_rules


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    found = dict(checked_rules())
    for status, rows in (("implied", IMPLIED), ("unknowable", UNKNOWABLE)):
        for rule_id, row in rows.items():
            if rule_id in found:
                raise TypeError(f"{rule_id} is in the table twice")
            found[rule_id] = _unchecked(rule_id, row, "implied" if status == "implied" else "unknowable")
    return tuple(found[rule_id] for rule_id in sorted(found, key=sort_key))


def find(rule_id: str) -> Rule | None:
    """The rule of this id, in any casing, or the id of ours as one."""
    return _by_id().get(rule_id.upper())


@functools.cache
def _by_id() -> dict[str, Rule]:
    return {rule.id.upper(): rule for rule in (*rules(), *vpngw_rules())}


def _unchecked(rule_id: str, row: tuple[Weight, str, str, str], status: Status) -> Rule:
    level, source, title, why = row
    return Rule(rule_id, level, "always", status, title, source, why=why)


def area_of(rule_id: str) -> str:
    """``R-LNG`` of ``R-LNG-06``, ``V`` of an id of ours."""
    return rule_id.rpartition("-")[0] if rule_id.startswith("R-") else rule_id[:1]


AREAS = {
    "R-AA": "Active-active gateways",
    "R-AAD": "Sign-in with Microsoft Entra ID",
    "R-AON": "Always On",
    "R-BGP": "BGP",
    "R-CERT": "Certificates of sites",
    "R-CERTP": "Certificates of clients",
    "R-CMODE": "Connection modes",
    "R-CR": "Custom routes",
    "R-DEV": "Devices",
    "R-DNS": "DNS in the gateway's network",
    "R-DPD": "Dead peer detection",
    "R-ER": "ExpressRoute and coexistence",
    "R-FT": "Forced tunnelling",
    "R-HB": "High-bandwidth tunnels",
    "R-IKE": "VPN type and IKE",
    "R-IPSEC": "IPsec policies",
    "R-LIM": "Limits and quotas",
    "R-LNG": "Local network gateways: sites",
    "R-MNT": "Maintenance windows",
    "R-NAT": "NAT rules",
    "R-OPS": "Operations and recovery",
    "R-ORD": "Order of operations",
    "R-P2S": "Point-to-site",
    "R-P2SPOL": "IPsec policies of clients",
    "R-PEER": "VNet peering",
    "R-PIP": "Public IP addresses",
    "R-PKG": "Client profiles",
    "R-POOL": "Client address pools",
    "R-PRIV": "VPN over private peering",
    "R-PSK": "Shared keys",
    "R-RAD": "RADIUS",
    "R-SCOPE": "Where things stand",
    "R-SEC": "Security posture",
    "R-SKU": "SKUs and generations",
    "R-SUBNET": "GatewaySubnet and its routes",
    "R-TS": "Traffic selectors",
    "R-UG": "User groups",
    "R-V2V": "VNet-to-VNet",
    "R-V6": "IPv6",
    "B": "Blueprints as a whole",
    "P": "Preflight",
    "T": "Values in a file",
    "V": "Plans",
}
"""What each area of rules is about."""
