"""One naming policy for what people do not name themselves: CAF abbreviations by default, cut to Azure's limits.

Derived names are a contract: changing a default here would rename things in Azure.
"""

import hashlib
from typing import Annotated

from pydantic import AfterValidator, Field

from vpngw_iac.blueprints.part import Part
from vpngw_iac.field import rule_error

LIMIT = 80
"""Longest name of every type that is named here (Microsoft.Network, naming rules)."""


def _template(*words: str) -> AfterValidator:
    def check(value: str) -> str:
        try:
            value.format(**dict.fromkeys(words, "x"))
        except (KeyError, IndexError, ValueError):
            places = ", ".join(f"{{{word}}}" for word in words)
            raise rule_error("T-NAMING", f"A name pattern may use {places} only.") from None
        missing = [word for word in words if f"{{{word}}}" not in value]
        if missing:
            raise rule_error("T-NAMING", f"The name pattern must use {{{missing[0]}}}, or two things get one name.")
        return value

    return AfterValidator(check)


class Naming(Part):
    """Patterns of derived names. `name` is a site, or ``{site}-{link}`` where a site lists its links.

    ``Naming(connection="vpn-{name}")``
    """

    public_ip: Annotated[str, _template("gateway", "number")] = "pip-{gateway}-{number}"
    """Public address of a gateway, counted from 1."""
    local_gateway: Annotated[str, _template("name")] = "lgw-{name}"
    """Local network gateway of a link."""
    connection: Annotated[str, _template("name")] = "con-{name}"
    """Connection to a link."""
    vnet_connection: Annotated[str, _template("gateway", "peer")] = "con-{gateway}-{peer}"
    """Connection of a gateway to another gateway."""
    peer_gateway: Annotated[str, _template("gateway", "peer")] = "lgw-{gateway}-{peer}"
    """Local network gateway that stands for another gateway (``via="ipsec"``)."""
    circuit_connection: Annotated[str, _template("gateway", "name")] = "con-{gateway}-{name}"
    """Connection of an ExpressRoute gateway to a circuit link."""
    peering: Annotated[str, _template("network", "remote")] = "peer-{network}-{remote}"
    """One side of a VNet peering."""
    authorization: Annotated[str, _template("gateway")] = "auth-{gateway}"
    """Authorization of a circuit for a gateway in another subscription."""
    global_reach: Annotated[str, _template("circuit", "peer")] = "reach-{circuit}-{peer}"
    """Connection of a circuit to another circuit."""
    maintenance: Annotated[str, _template("gateway")] = "mc-{gateway}"
    """Maintenance configuration of a gateway, and its assignment."""
    diagnostics: Annotated[str, _template("gateway")] = "diag-{gateway}"
    """Diagnostic setting of a gateway."""
    lock: Annotated[str, _template("resource")] = "lock-{resource}"
    """Management lock of a resource, or of the group it is in."""
    nat_instance: Annotated[str, _template("name", "instance"), Field(max_length=40)] = "{name}-{instance}"
    """Of a NAT rule that is made for one instance of an active-active gateway."""


def fit(name: str) -> str:
    """The name, cut to the limit with a hash of the whole in its end, so that two long names stay different."""
    if len(name) <= LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LIMIT - 9].rstrip('._-')}-{digest}"
