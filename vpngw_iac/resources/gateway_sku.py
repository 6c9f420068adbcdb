"""Which gateway SKU may become which, and how: the table of facts behind `Transition` on a gateway's SKU.

Sources: learn.microsoft.com "About upgrading or changing VPN gateway SKUs", "VPN Gateway SKU consolidation",
"About ExpressRoute virtual network gateways", "About ExpressRoute scalable gateway".
"""

from __future__ import annotations

import re
from typing import Literal

from vpngw_iac.field import Verdict
from vpngw_iac.late_dataclass import dataclass

Family = Literal["basic", "legacy", "vpn", "vpn-az", "er", "er-az", "er-scale"]

_IN_PLACE = Verdict("in place")
_VPN = re.compile(r"^vpngw([1-5])(az)?$", re.IGNORECASE)
_ER_ZONAL = re.compile(r"^ergw([1-3])az$", re.IGNORECASE)
_ER_REGIONAL = {"standard": 1, "highperformance": 2, "ultraperformance": 3}


@dataclass(frozen=True, slots=True)
class _Sku:
    name: str
    family: Family
    tier: int


def sku_change(observed: str | None, declared: str | None, gateway_type: str = "") -> Verdict:
    """How a gateway of SKU `observed` becomes one of SKU `declared`.

    ``Standard`` and ``HighPerformance`` name both an ExpressRoute SKU and a retired VPN SKU: `gateway_type` decides;
    where it is not given, the other SKU does. What this table does not know is left to Azure.
    """
    if not observed or not declared or observed.lower() == declared.lower():
        return _IN_PLACE
    if not gateway_type and any(_VPN.match(name) for name in (observed, declared)):
        gateway_type = "Vpn"
    old, new = _parse(observed, gateway_type), _parse(declared, gateway_type)
    if old is None or new is None:
        return _IN_PLACE
    if old.family.startswith("er") is not new.family.startswith("er"):
        return Verdict("replace", f"{old.name} and {new.name} are SKUs of two gateway types.", "reconfigure")
    return _expressroute(old, new) if old.family.startswith("er") else _vpn(old, new)


def _parse(name: str, gateway_type: str) -> _Sku | None:
    lower = name.lower()
    if lower == "basic":
        return _Sku(name, "basic", 0)
    if vpn := _VPN.match(name):
        return _Sku(name, "vpn-az" if vpn[2] else "vpn", int(vpn[1]))
    if zonal := _ER_ZONAL.match(name):
        return _Sku(name, "er-az", int(zonal[1]))
    if lower == "ergwscale":
        return _Sku(name, "er-scale", 9)
    if lower in _ER_REGIONAL:
        legacy = gateway_type.lower() == "vpn" and lower != "ultraperformance"
        return _Sku(name, "legacy" if legacy else "er", _ER_REGIONAL[lower])
    return None


def _vpn(old: _Sku, new: _Sku) -> Verdict:
    if old.family == "basic" or new.family == "basic":
        return _rebuilt(f"{old.name} cannot be resized to {new.name}.")
    if new.family == "legacy":
        return Verdict(
            "impossible", f"{new.name} is retired and cannot be ordered (R-SKU-03). Declare a VpnGw..AZ SKU."
        )
    if old.family == "legacy":
        twin = "VpnGw1AZ" if old.tier == 1 else "VpnGw2AZ"
        return Verdict(
            "impossible",
            f"{old.name} leaves its retired family only through Azure's public IP migration, which makes it {twin} "
            f"(R-SKU-06). Run that migration, then declare {twin}.",
        )
    if new.family == "vpn":
        way_out = f"{old.name} stays, or declare VpnGw{max(old.tier, new.tier)}AZ."
        return Verdict("impossible", f"Azure accepts no {new.name} any more (R-SKU-01). {way_out}")
    if new.tier < old.tier:
        return _rebuilt(f"{old.name} cannot be made smaller.")
    if new.tier == old.tier:
        # From VpnGwN to VpnGwNAZ: no downtime expected, the address is kept (SKU consolidation page).
        return Verdict("in place", f"{old.name} moves to its zonal twin and keeps its addresses.", "none", rebuild=True)
    return Verdict("in place", f"{old.name} grows to {new.name} and keeps its addresses.", "minutes", rebuild=True)


def _expressroute(old: _Sku, new: _Sku) -> Verdict:
    if old.family == "er" and new.family != "er":
        return Verdict(
            "impossible",
            f"{old.name} becomes {new.name} only through Azure's gateway migration, which makes a second gateway of "
            "another name (R-ER-25). Run it and declare that gateway, or declare a new gateway next to this one's end.",
        )
    if new.family == "er" and old.family != "er":
        return _rebuilt(f"{old.name} is zonal, {new.name} is not: no change in place.")
    if new.tier < old.tier:
        return _rebuilt(f"{old.name} cannot be made smaller.")
    if new.family == "er-scale":
        return Verdict("in place", f"{old.name} becomes ErGwScale and stays up; up to 2 hours.", "none", rebuild=True)
    return Verdict(
        "in place", f"{old.name} grows to {new.name}; private endpoints may stutter.", "seconds", rebuild=True
    )


def _rebuilt(why: str) -> Verdict:
    return Verdict(
        "replace", f"{why} The gateway is deleted and built again; devices and clients reconnect.", "reconfigure"
    )


def generation_change(observed: str | None, declared: str | None) -> Verdict:
    """Only Microsoft's migration moves a gateway to another generation; anybody else builds a new one."""
    if not observed or not declared or observed.lower() == declared.lower():
        return _IN_PLACE
    return _rebuilt(f"{observed} becomes {declared} only when Microsoft migrates the gateway.")


def needs_generation_2(sku: str | None) -> bool:
    """VpnGw4 and VpnGw5 exist as Generation2 only (R-SKU-10)."""
    match = _VPN.match(sku or "")
    return bool(match) and int(match[1]) >= 4 if match else False


def is_frozen(sku: str | None) -> bool:
    """Whether a gateway of this SKU accepts no configuration change until it moves to its zonal twin (R-SKU-04)."""
    match = _VPN.match(sku or "")
    return match is not None and match[2] is None
