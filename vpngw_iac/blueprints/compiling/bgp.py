"""Custom (APIPA) BGP addresses of a gateway: collected from its links, chosen by its connections."""

from __future__ import annotations

import ipaddress

from vpngw_iac.blueprints.compiling.work import Work
from vpngw_iac.blueprints.site import Link
from vpngw_iac.resources.connection import CustomBgpAddress


def custom_addresses(work: Work) -> dict[int, tuple[str, ...]]:
    """Custom BGP addresses by instance, in numeric order (R-BGP-08)."""
    found: dict[int, set[str]] = {}
    for _, link in work.links():
        for instance, address in _own(link, work).items():
            found.setdefault(instance, set()).add(address)
    return {instance: tuple(sorted(found[instance], key=_number)) for instance in sorted(found)}


def chosen_addresses(link: Link, work: Work) -> tuple[CustomBgpAddress, ...] | None:
    """The addresses that a connection uses, one per instance.

    Azure wants an address for every instance of an active-active gateway (R-BGP-10). A link to one instance never
    uses the other's, so the first address that the other instance has anyway is named.
    """
    own = _own(link, work)
    if not own:
        return None
    others = {instance: addresses[0] for instance, addresses in custom_addresses(work).items()}
    return tuple(
        CustomBgpAddress(ip_configuration_id=work.configuration(instance), custom_bgp_ip_address=address)
        for instance, address in sorted({**others, **own}.items())
    )


def _own(link: Link, work: Work) -> dict[int, str]:
    """Addresses that the link names, by instance."""
    if link.bgp is None:
        return {}
    return dict(zip(work.instances_of(link), link.bgp.azure_address, strict=False))


def _number(address: str) -> int:
    return int(ipaddress.ip_address(address))
