"""A fleet: one gateway, and a site for each row of sites.csv. A blueprint file like any other.

    vpngw plan  examples/fleet_from_csv.py --cloud simulator
    vpngw apply examples/fleet_from_csv.py --cloud simulator --yes

Add a row, and the next plan adds a local network gateway and a connection; delete one, and both go. A row with an AS
number speaks BGP, the others have static prefixes. Each site's key is made at the first apply and kept in Key Vault
(with the simulator: in its own vault), so that no file ever holds one.
"""

from __future__ import annotations

import csv
from pathlib import Path

from vpngw_iac import Bgp, BgpPeer, IpsecPolicy, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

hub = VirtualNetwork(
    name="vnet-fleet",
    location="westeurope",
    resource_group="rg-fleet",
    address_space=["10.100.0.0/16"],
    gateway_subnet="10.100.255.0/27",
)

gateway = VpnGateway(name="vgw-fleet", network=hub, sku="VpnGw2AZ", bgp=Bgp(asn=65010))


def site(row: dict[str, str]) -> Site:
    """One row of the file."""
    return Site(
        name=row["name"],
        public_ip=row["public_ip"],
        prefixes=row["prefixes"].split() or None,
        bgp=BgpPeer(asn=int(row["asn"]), address=row["bgp_address"]) if row["asn"] else None,
        shared_key=Secret.generated("kv-network", f"psk-{row['name']}"),
        ipsec=IpsecPolicy.strong(),
    )


with Path(__file__).with_name("sites.csv").open(newline="", encoding="utf-8") as rows:
    blueprint = SiteToSite(name="fleet", gateway=gateway, sites=[site(row) for row in csv.DictReader(rows)])
