"""Other networks in Azure: spokes that use a hub's gateway, and pairs of gateways."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from vpngw_iac.blueprints.gateway import AnyVpnGateway
from vpngw_iac.blueprints.network import AnyNetwork
from vpngw_iac.blueprints.operations_settings import AnyLock
from vpngw_iac.blueprints.part import Many, Name, OnRemoval, Part, Rotation, SecretField, Sides, Tags, Waive, listed
from vpngw_iac.blueprints.site import MODES, AnyIpsecPolicy, ConnectionMode, TrafficSelector
from vpngw_iac.field import GroupName, IpAddress, Wire, rule_error


class Spoke(Part):
    """A network that reaches the outside through the hub's gateways, over VNet peering (R-PEER-01 to R-PEER-04).

    ``Spoke(network=VirtualNetwork(name="vnet-web", location="westeurope", address_space="10.20.0.0/16"))``
    """

    stands: ClassVar[str] = "Peering"

    network: AnyNetwork
    manage: Literal["both", "hub", "flags"] = "both"
    """``both``: both peerings are ours. ``hub``: ours on the hub's side, the other side is done by the spoke's owner.
    ``flags``: both peerings exist already and are adopted; we own their transit flags."""
    gateway_transit: Annotated[bool, Wire("properties.useRemoteGateways", by_code=True)] = True
    """Whether the spoke uses the hub's gateways. Off: a peering and nothing more."""
    forwarded_traffic: Annotated[Sides[bool] | None, Wire("properties.allowForwardedTraffic", sides=True)] = None
    """Accept traffic that was forwarded by a virtual appliance on the other side: one value, or one for the hub's
    peering and one for the spoke's. Azure's default is false."""
    hub_peering_name: Name | None = None
    """Name of the peering on the hub's side. Default: derived."""
    spoke_peering_name: Name | None = None
    """Name of the peering on the spoke's side. Default: derived."""
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)


class Pair(Part):
    """Two gateways joined by a tunnel. Both connections bear the same key, policy and BGP flag (R-V2V-03).

    ``Pair(a=gateway, b=VpnGateway.existing(partner_gateway), shared_key=Secret.env("PARTNER_PSK"))``
    """

    stands: ClassVar[str] = "VnetConnection"

    a: AnyVpnGateway
    b: AnyVpnGateway
    shared_key: Annotated[SecretField, Wire("properties.sharedKey")]
    """The key of both connections (R-PSK-07)."""
    rotation: Rotation | None = None
    """When the key was rotated, in words of your own. Another text sets the key of both connections again."""
    bgp: Annotated[bool, Wire("properties.enableBgp")] = False
    """BGP over the tunnel; both gateways need different AS numbers (R-BGP-06)."""
    ipsec: Annotated[AnyIpsecPolicy | None, Wire("properties.ipsecPolicies[0]")] = None
    """Policy of both connections (R-IPSEC-06)."""
    manage: Literal["both", "a", "b"] = "both"
    """Which connection is ours. The other side is then done by the owner of that gateway."""
    via: Literal["vnet", "ipsec"] = "vnet"
    """``vnet``: VNet-to-VNet connections, prefixes follow the networks. ``ipsec``: local network gateways and IPsec
    connections, as between different clouds; prefixes are those written in the blueprint (R-V2V-08)."""
    dpd: Annotated[
        Sides[Annotated[int, Field(ge=9, le=3600)]] | None, Wire("properties.dpdTimeoutSeconds", sides=True)
    ] = None
    """Dead peer detection timeout in seconds, default 45 (R-DPD-01). Here and below: one value for both connections,
    or one for the connection that starts at `a` and one for that at `b`."""
    protocol: Annotated[Literal["IKEv1", "IKEv2"] | None, Wire("properties.connectionProtocol")] = None
    """Of both connections. Default IKEv2 (R-IKE-04). Cannot change in place (R-IKE-03)."""
    mode: Annotated[Sides[ConnectionMode] | None, Wire("properties.connectionMode", values=MODES, sides=True)] = None
    """Who starts the first IKE exchange (R-CMODE-01)."""
    weight: Annotated[
        Sides[Annotated[int, Field(ge=0, le=32_000)]] | None, Wire("properties.routingWeight", sides=True)
    ] = None
    """Routing weight. Microsoft documents it for ExpressRoute only (R-BGP-19)."""
    policy_based_selectors: Annotated[
        Sides[bool] | None, Wire("properties.usePolicyBasedTrafficSelectors", sides=True)
    ] = None
    """Traffic selectors per pair of prefixes; needs `ipsec` (R-TS-01)."""
    traffic_selectors: Annotated[
        Annotated[Many[TrafficSelector], listed] | None, Wire("properties.trafficSelectorPolicies", by_code=True)
    ] = None
    """Custom selectors as `a` sees them; `b` gets them with local and remote exchanged (R-TS-03)."""
    apipa: Annotated[
        Sides[Annotated[Many[IpAddress], listed]] | None,
        Wire("properties.gatewayCustomBgpIpAddresses", of="VpnConnection", by_code=True),
    ] = None
    """APIPA addresses that each connection uses of those in ``Bgp(apipa=...)`` of its gateway (R-BGP-08): a list for
    `a` and a list for `b`, an address for each instance. With ``via="ipsec"``."""
    lock: Sides[AnyLock] | None = None
    """Management lock of the connections."""
    resource_group: Sides[GroupName] | None = None
    """Group of the connections. Default: that of their gateways."""
    connection_names: tuple[Name, Name] | None = None
    """Names of the connections that start at `a` and at `b`; numbered if the other side has two addresses and
    ``via="ipsec"``. Default: derived."""
    local_gateway_names: tuple[Name, Name] | None = None
    """With ``via="ipsec"``: names of the local network gateways beside `a` and beside `b`. Default: derived."""
    tags: Annotated[Tags, Wire("tags", by_code=True)] = Field(default_factory=dict)
    protect: bool = False
    on_removal: OnRemoval = "delete"
    waive: Waive = Field(default_factory=dict)

    @model_validator(mode="after")
    def _two_gateways(self) -> "Pair":
        if self.a == self.b:
            raise rule_error("T-PAIR", "A pair joins two different gateways; a and b are the same one.")
        if self.apipa is not None and (self.via != "ipsec" or not self.bgp):
            raise rule_error("T-PAIR", 'apipa goes with via="ipsec" and bgp=True.')
        return self
