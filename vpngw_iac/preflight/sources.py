"""Where the facts come from: the codes that rules cite, with title and address of the page."""

from __future__ import annotations

from vpngw_iac.late_dataclass import dataclass

_LEARN = "https://learn.microsoft.com/azure/"
_VPN = _LEARN + "vpn-gateway/"
_ER = _LEARN + "expressroute/"
_NET = _LEARN + "virtual-network/"
_HELP = "https://learn.microsoft.com/troubleshoot/azure/vpn-gateway/"

PAGES: dict[str, tuple[str, str]] = {
    "FAQ": ("VPN Gateway FAQ", _VPN + "vpn-gateway-vpn-faq"),
    "SKU": ("About gateway SKUs", _VPN + "about-gateway-skus"),
    "SKUTAB": ("Gateway SKUs by tunnel, connection and throughput", _VPN + "about-gateway-skus"),
    "LIM": ("VPN Gateway limits", _LEARN + "azure-resource-manager/management/azure-subscription-service-limits"),
    "UPG": ("Upgrade a gateway SKU", _VPN + "gateway-sku-upgrade"),
    "CONS": ("VPN Gateway SKU consolidation", _VPN + "gateway-sku-consolidation"),
    "NEW": ("What's new in VPN Gateway", _VPN + "whats-new"),
    "BPIP": ("Migrate a Basic public IP", _VPN + "basic-public-ip-migrate-about"),
    "BPIPH": ("Migrate a Basic public IP, steps", _VPN + "basic-public-ip-migrate-howto"),
    "BREM": ("Remove the Basic public IP of a Basic gateway", _VPN + "basic-sku-public-ip-remove"),
    "BPS": ("Create a Basic SKU gateway", _VPN + "create-gateway-basic-sku-powershell"),
    "BLIM": ("Basic SKU limitations", _VPN + "about-gateway-skus"),
    "SET": ("VPN Gateway settings", _VPN + "vpn-gateway-about-vpn-gateway-settings"),
    "UDR": ("User-defined routes on GatewaySubnet", _VPN + "vpn-gateway-about-vpn-gateway-settings"),
    "CM": ("Connection modes", _VPN + "vpn-gateway-about-vpn-gateway-settings"),
    "AA": ("About active-active gateways", _VPN + "about-active-active-gateways"),
    "AAC": ("Change to active-active", _VPN + "gateway-change-active-active"),
    "RST": ("Reset a gateway", _VPN + "reset-gateway"),
    "NATO": ("About NAT on VPN Gateway", _VPN + "nat-overview"),
    "BGP": ("Configure BGP", _VPN + "configure-bgp"),
    "CRY": ("Cryptographic requirements", _VPN + "vpn-gateway-about-compliance-crypto"),
    "DEV": ("Validated VPN devices and parameters", _VPN + "vpn-gateway-about-vpn-devices"),
    "PBTS": ("Connect to policy-based devices", _VPN + "vpn-gateway-connect-multiple-policybased-rm-ps"),
    "CTS": ("Custom traffic selectors", _VPN + "custom-traffic-selectors"),
    "CERT": ("Site-to-site certificates", _VPN + "site-to-site-certificate-authentication-gateway-about"),
    "CERTH": ("Site-to-site certificates, steps", _VPN + "site-to-site-certificate-authentication-gateway"),
    "IPV6": ("Site-to-site with IPv6", _VPN + "site-to-site-ipv6-azure"),
    "HBT": ("High-bandwidth tunnels", _VPN + "site-to-site-high-bandwidth-tunnel"),
    "PP": ("VPN over ExpressRoute private peering", _VPN + "site-to-site-vpn-private-peering"),
    "FT": ("About forced tunneling", _VPN + "about-site-to-site-tunneling"),
    "LNGI": ("Add a local network gateway", _VPN + "tutorial-site-to-site-portal"),
    "MNT": ("Customer-controlled maintenance", _VPN + "customer-controlled-gateway-maintenance"),
    "P2S": ("About point-to-site", _VPN + "point-to-site-about"),
    "P2SC": ("Point-to-site with certificates", _VPN + "point-to-site-certificate-gateway"),
    "POOL": ("Client address pool", _VPN + "point-to-site-certificate-gateway"),
    "PIP3": ("The third public IP", _VPN + "point-to-site-certificate-gateway"),
    "ENTRA": ("Point-to-site with Microsoft Entra ID", _VPN + "point-to-site-entra-gateway"),
    "RAD": ("Point-to-site with RADIUS", _VPN + "point-to-site-radius-gateway"),
    "UG": ("User groups and address pools", _VPN + "point-to-site-user-groups-create-portal"),
    "P2SPOL": ("Custom policies for point-to-site", _VPN + "create-custom-policies-p2s-ps"),
    "CROUTE": ("Advertise custom routes", _VPN + "vpn-gateway-p2s-advertise-custom-routes"),
    "SSTP": ("Move from SSTP", _VPN + "ikev2-openvpn-from-sstp"),
    "RCM": ("Gateway certificate migration", _VPN + "point-to-site-about-gateway-certificate-migration"),
    "PKG": ("Point-to-site client profiles", _VPN + "point-to-site-vpn-client-certificate-windows-azure-vpn-client"),
    "V2V": ("VNet-to-VNet connections", _VPN + "vpn-gateway-howto-vnet-vnet-resource-manager-portal"),
    "GWT": ("Gateway transit for peering", _VPN + "vpn-gateway-peering-gateway-transit"),
    "PEER": ("Virtual network peering", _NET + "virtual-network-manage-peering"),
    "COEX": ("Coexisting connections", _ER + "expressroute-howto-coexist-resource-manager"),
    "COEXP": ("Coexisting gateways, portal", _ER + "how-to-configure-coexisting-gateway-portal"),
    "ERGW": ("ExpressRoute gateways", _ER + "expressroute-about-virtual-network-gateways"),
    "ERSC": ("The scalable ExpressRoute gateway", _ER + "scalable-gateway"),
    "ERMIG": ("ExpressRoute gateway migration", _ER + "gateway-migration"),
    "ERADD": ("Add an ExpressRoute gateway", _ER + "expressroute-howto-add-gateway-portal-resource-manager"),
    "ERFP": ("About FastPath", _ER + "about-fastpath"),
    "ERLINK": ("Link a network to a circuit", _ER + "expressroute-howto-linkvnet-arm"),
    "ERWF": ("Circuit workflows", _ER + "expressroute-workflows"),
    "ERBK": ("VPN as backup of ExpressRoute", _ER + "use-s2s-vpn-as-backup-for-expressroute-privatepeering"),
    "ERLIM": ("ExpressRoute limits", _LEARN + "azure-resource-manager/management/azure-subscription-service-limits"),
    "VNLIM": ("Networking limits", _LEARN + "azure-resource-manager/management/azure-subscription-service-limits"),
    "ARM": ("Throttling", _LEARN + "azure-resource-manager/management/request-limits-and-throttling"),
    "ARG": ("Resource Graph throttling", _LEARN + "governance/resource-graph/concepts/guidance-for-throttled-requests"),
    "FAIL": ("Failed provisioning state", _LEARN + "networking/troubleshoot-failed-state"),
    "DEL": ("Delete a gateway", _VPN + "vpn-gateway-delete-vnet-gateway-powershell"),
    "MPFX": ("Several prefixes on a subnet", _NET + "how-to-multiple-prefixes-subnet"),
    "PIPD": ("Public IP addresses", _NET + "ip-services/public-ip-addresses"),
    "SCRIPT": ("Device configuration scripts", _VPN + "vpn-gateway-download-vpndevicescript"),
    "MON": ("Monitoring reference", _VPN + "monitor-vpn-gateway-reference"),
    "AZV": ("Zone-redundant gateways", _VPN + "about-zone-redundant-vnet-gateways"),
    "DEPR": ("Legacy SKU retirement", _VPN + "vpn-gateway-about-skus-legacy"),
    "T-CONN": ("Site-to-site cannot connect", _HELP + "vpn-gateway-troubleshoot-site-to-site-cannot-connect"),
    "T-ERR": ("Site-to-site error codes", _HELP + "vpn-gateway-troubleshoot-site-to-site-error-codes"),
    "T-BGP": ("Troubleshoot BGP", _HELP + "vpn-gateway-troubleshoot-bgp"),
    "T-P2S": ("Point-to-site problems", _HELP + "vpn-gateway-troubleshoot-vpn-point-to-site-connection-problems"),
    "T-TUN": ("Tunnel cannot connect", _HELP + "troubleshoot-vpn-tunnel-cannot-connect"),
    "T-DISC": ("Intermittent disconnects", _HELP + "vpn-gateway-troubleshoot-site-to-site-disconnected-intermittently"),
    "REG": ("Azure regions list", _LEARN + "reliability/regions-list"),
    "SDK": ("Azure REST API model of Microsoft.Network", _LEARN.replace("azure/", "rest/api/") + "network-gateway/"),
    "TF": ("Terraform azurerm provider, network service", "https://github.com/hashicorp/terraform-provider-azurerm"),
    "GH": ("Public issue threads on GitHub", "https://github.com/Azure/azure-rest-api-specs/issues/14473"),
    "NATX": ("azure-docs issues 91983 and 92351", "https://github.com/MicrosoftDocs/azure-docs/issues/91983"),
    "BGPX": ("azure-docs issue 112249", "https://github.com/MicrosoftDocs/azure-docs/issues/112249"),
    "NATC": ("azure-docs issue 116404", "https://github.com/MicrosoftDocs/azure-docs/issues/116404"),
    "DNSL": (
        "azurerm provider, domain name label",
        "https://github.com/hashicorp/terraform-provider-azurerm/pull/2122",
    ),
    "DNSU": ("DnsRecordInUse", "https://github.com/Azure/azure-quickstart-templates/issues/4978"),
    "ERFAQ": ("ExpressRoute FAQ", _ER + "expressroute-faqs"),
    "ERPEER": ("Circuits and peering", _ER + "expressroute-circuit-peerings"),
    "ERDIR": ("Configure ExpressRoute Direct", _ER + "expressroute-howto-erdirect"),
    "ERLOC": ("ExpressRoute Local: unlimited, from 1 Gbps", "https://github.com/Azure/ResourceModules/pull/358"),
    "FIELD": ("Error codes seen in practice", ""),
    "NIST": ("NIST SP 800-77 Rev. 1", "https://doi.org/10.6028/NIST.SP.800-77r1"),
    "CNSA": ("RFC 9206, CNSA for IPsec", "https://www.rfc-editor.org/rfc/rfc9206"),
    "BSI": ("BSI TR-02102-3", "https://www.bsi.bund.de/dok/TR-02102-en"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a rule rests on."""

    code: str
    title: str
    address: str
    """Empty for what is known from practice alone."""


def pages_of(source: str) -> tuple[Page, ...]:
    """Every page that a source names."""
    return tuple(Page(code, *PAGES[code]) for code in codes(source) if code in PAGES)


def address_of(source: str) -> str:
    """Address of the first page that a source names, for reports; empty if it has none."""
    return next((PAGES[code][1] for code in codes(source) if code in PAGES and PAGES[code][1]), "")


def codes(source: str) -> tuple[str, ...]:
    """The page codes of a source such as ``FAQ, SET``."""
    return tuple(code.strip() for code in source.split(",") if code.strip())
