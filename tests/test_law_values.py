"""Law: every value that an enum of a noun can have stands in some blueprint that `validate` takes.

A value that one rule refuses in each setting that another rule allows would be a trap. Walks the models: a value that
is added and cannot be used fails here.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.preflight.certificates import certificate
from tests.test_law_fields import SETTINGS, Json, nouns, rid
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.gateway import EXPRESSROUTE_SKUS, VPN_SKUS
from vpngw_iac.blueprints.operations_settings import Diagnostics
from vpngw_iac.preflight import check
from vpngw_iac.usecases.workspace import Workspace


def values(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
    else:
        for part in typing.get_args(annotation):
            yield from values(part)


OTHERS: dict[str, tuple[Any, ...]] = {
    "VpnGateway.sku": VPN_SKUS,
    "ExistingVpnGateway.sku": VPN_SKUS,
    "ExpressRouteGateway.sku": EXPRESSROUTE_SKUS,
    "ExistingExpressRouteGateway.sku": EXPRESSROUTE_SKUS,
    "Circuit.sku": tuple(
        f"{t}_{f}" for t in ("Standard", "Premium", "Local") for f in ("MeteredData", "UnlimitedData")
    ),
    "Circuit.bandwidth": (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 40_000, 100_000),
}
"""Texts and numbers of which a list says what they can be."""

LISTS = {"protocols"}
"""Fields that hold several of the values."""

DIRECT: Json = {"port": rid("expressRoutePorts", "port"), "provider": None, "peering_location": None}
CLIENTS = [{"roots": [{"name": "r", "base64": certificate("rsa")}]}]
BESIDE: dict[str, Json] = {
    "Circuit.sku=Local_MeteredData": DIRECT,
    "Circuit.bandwidth=40000": DIRECT,
    "Circuit.bandwidth=100000": DIRECT,
    **{
        f"Diagnostics.logs={v}": {"logs": [v]}
        for v in values(Diagnostics.model_fields["logs"].annotation)
        if v != "all"
    },
    **{f"PointToSite.protocols={v}": {"authentication": CLIENTS} for v in ("OpenVPN", "IKEv2", "SSTP")},
    "VpnGateway.vpn_type=policy-based": {"sku": "Basic"},
    "ExpressRouteGateway.sku=ErGwScale": {"scale_units": [2, 10]},
    **{f"IpsecPolicy.ike_integrity={v}": {"ike_encryption": v} for v in ("GCMAES128", "GCMAES256")},
    **{f"IpsecPolicy.ipsec_encryption={v}": {"ipsec_integrity": v} for v in ("GCMAES128", "GCMAES192", "GCMAES256")},
    **{f"IpsecPolicy.ipsec_integrity={v}": {"ipsec_encryption": v} for v in ("GCMAES128", "GCMAES192", "GCMAES256")},
    **{
        f"Route.next_hop_type={v}": {"next_hop_ip": None}
        for v in ("VirtualNetworkGateway", "VnetLocal", "Internet", "None")
    },
}
"""What else the noun must say for a value."""

NOT_CREATED_ANY_MORE = {*(f"VpnGw{n}" for n in range(1, 6)), "Standard", "HighPerformance"}
"""VPN SKUs that only gateways of long ago have: these pass where nothing is created (R-SKU-01, R-SKU-03)."""


def every_value() -> Iterator[tuple[str, str, Any]]:
    for noun, model in nouns().items():
        for name, info in model.model_fields.items():
            for value in (*values(info.annotation), *OTHERS.get(f"{noun}.{name}", ())):
                yield noun, name, value


@pytest.mark.parametrize(("noun", "name", "value"), [*every_value()], ids=str)
def test_every_value_has_a_blueprint_that_passes(noun: str, name: str, value: Any, tmp_path: Path) -> None:
    setting = copy.deepcopy(SETTINGS.get(f"{noun}.{name}") or SETTINGS[noun])
    said = setting.noun() | {name: [value] if name in LISTS else value} | BESIDE.get(f"{noun}.{name}={value}", {})
    blueprint = setting.with_noun({key: item for key, item in said.items() if item is not None})
    is_old = noun == "VpnGateway" and value in NOT_CREATED_ANY_MORE

    assert errors(blueprint, tmp_path, creates=not is_old) == []


@pytest.mark.parametrize("edge_zone", [None, "miami"])
@pytest.mark.parametrize("region", ["westeurope", "northcentralus", "denmarkeast"])
@pytest.mark.parametrize(
    ("noun", "sku"),
    [
        *(("VpnGateway", sku) for sku in VPN_SKUS if sku not in NOT_CREATED_ANY_MORE),
        *(("ExpressRouteGateway", sku) for sku in EXPRESSROUTE_SKUS),
    ],
)
def test_every_sku_can_be_made_with_zones_without_and_in_an_edge_zone(
    noun: str, sku: str, region: str, edge_zone: str | None, tmp_path: Path
) -> None:
    setting = copy.deepcopy(SETTINGS[noun])
    place = {"edge_zone": edge_zone} if edge_zone else {}
    said = setting.noun() | {"sku": sku} | BESIDE.get(f"{noun}.sku={sku}", {}) | place
    said["network"] = said["network"] | {"location": region} | place
    if noun == "ExpressRouteGateway":
        setting.document["vpn"] |= {"network": said["network"], **place}

    assert errors(setting.with_noun(said), tmp_path) == []


def errors(blueprint: Blueprint, folder: Path, *, creates: bool = True) -> list[str]:
    desk = Workspace("simulator", directory=folder, environment={})
    resources = tuple(blueprint.resources(desk._place.scope))
    found = desk.validate(blueprint).findings if creates else check(resources, created_or_replaced=())
    return [f"{finding.rule} {finding.detail}" for finding in found if finding.level == "error"]
