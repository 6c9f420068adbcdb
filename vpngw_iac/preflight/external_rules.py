"""The same rule under the names of other tools: PSRule for Azure, Azure Policy, the Azure Proactive Resiliency Library.

A rule names its twins in `see`; reports turn them into links and SARIF taxonomies. What other tools ask for and no rule
here does is listed too, with where it went.
"""

from __future__ import annotations

from vpngw_iac.late_dataclass import dataclass

_PSRULE = "https://azure.github.io/PSRule.Rules.Azure/en/rules/"
_APRL = "https://azure.github.io/Azure-Proactive-Resiliency-Library-v2/azure-resources/Network/"
_POLICY = "https://github.com/Azure/azure-policy/blob/master/built-in-policies/policyDefinitions/Network/"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with rules of its own."""

    key: str
    name: str
    page: str


TOOLS = {
    tool.key: tool
    for tool in (
        Tool("PSRule", "PSRule for Azure", "https://azure.github.io/PSRule.Rules.Azure/en/rules/"),
        Tool("AzurePolicy", "Azure Policy built-in definitions", "https://github.com/Azure/azure-policy"),
        Tool(
            "APRL",
            "Azure Proactive Resiliency Library v2",
            "https://azure.github.io/Azure-Proactive-Resiliency-Library-v2/",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ExternalRule:
    """One rule of another tool."""

    tool: Tool
    id: str
    """What that tool calls it: ``AZR-000270``, or a GUID."""
    name: str
    page: str
    instead: str = ""
    """Where the matter went, if no rule here is its twin."""

    @property
    def key(self) -> str:
        """As `see` writes it: ``PSRule:AZR-000270``."""
        return f"{self.tool.key}:{self.id}"


def _psrule(number: int, name: str, instead: str = "") -> ExternalRule:
    return ExternalRule(TOOLS["PSRule"], f"AZR-{number:06}", name, f"{_PSRULE}{name}/", instead)


def _policy(guid: str, name: str, instead: str = "") -> ExternalRule:
    return ExternalRule(TOOLS["AzurePolicy"], guid, name, f"{_POLICY}{name}.json", instead)


def _aprl(guid: str, name: str, page: str = "virtualNetworkGateways", instead: str = "") -> ExternalRule:
    return ExternalRule(TOOLS["APRL"], guid, name, f"{_APRL}{page}/", instead)


EXTERNAL_RULES = {
    twin.key: twin
    for twin in (
        _psrule(157, "Azure.PublicIP.AvailabilityZone"),
        _psrule(158, "Azure.PublicIP.StandardSKU"),
        _psrule(269, "Azure.VNG.VPNLegacySKU"),
        _psrule(270, "Azure.VNG.VPNActiveActive"),
        _psrule(271, "Azure.VNG.ERLegacySKU", "the type of an ExpressRoute gateway has no SKU Basic"),
        _psrule(272, "Azure.VNG.VPNAvailabilityZoneSKU"),
        _psrule(273, "Azure.VNG.ERAvailabilityZoneSKU"),
        _psrule(430, "Azure.VNG.MaintenanceConfig"),
        _policy("e345b6c3-24bd-4c93-9bbb-7e5e49a17b78", "VPNGateways_BasicSKU_Audit"),
        _policy("50b83b09-03da-41c1-b656-c293c914862b", "VPNGateways_CustomIpSecPolicies_Audit"),
        _policy("35f9c03a-cc27-418e-9c0c-539ff999d010", "NetworkSecurityGroupOnGatewaySubnet_Deny"),
        _policy(
            "21a6bc25-125e-4d13-b82d-2e19b7208ab7",
            "VPN-AzureAD-audit-deny-disable-policy",
            "certificates and RADIUS are legitimate sign-ins; assign that policy where they are not",
        ),
        _aprl("5b1933a6-90e4-f642-a01f-e58594e5aab2", "Choose a zone-redundant VPN gateway"),
        _aprl("4bae5a28-5cf4-40d9-bcf1-623d28f6d917", "Zone-redundant gateways with zone-redundant public IPs"),
        _aprl("281a2713-c0e0-3c48-b596-19f590c46671", "Active-active VPN gateways"),
        _aprl("af11fc4c-c06c-4f4c-b98d-6eee6d5c4c70", "Active-active VPN devices on premises"),
        _aprl("9eab120e-f6d3-ee49-ba0d-766562ce7df1", "Monitor VPN gateway connections and health"),
        _aprl("d37db635-157f-584d-9bce-4f6fc8c65ce5", "Circuits from diverse peering locations"),
        _aprl("bbe668b7-eb5c-c746-8b82-70afdedf0cae", "Zone-redundant ExpressRoute gateway SKUs"),
        _aprl("194c14ac-0d7a-5a48-ae32-75fa450ee564", "No ExpressRoute for traffic between networks"),
        _aprl("3e115044-a3aa-433e-be01-ce17d67e50da", "Customer-controlled ExpressRoute gateway maintenance"),
        _aprl(
            "4d703025-dafc-f840-a183-5dc440456134", "Several circuits for critical workloads", "expressRouteCircuits"
        ),
        _aprl("c63b81fb-7afc-894c-a840-91bb8a8dcfaf", "Standard, zone-redundant public IPs", "publicIPAddresses"),
        _aprl("5cea1501-6fe4-4ec4-ac8f-f72320eb18d3", "Leave Basic public IPs", "publicIPAddresses"),
        _aprl(
            "c0f23a92-d322-4d4d-97e9-a238b5e3bbb8",
            "Resource lock for ExpressRoute gateways",
            instead='the field lock of a gateway: lock="CanNotDelete"',
        ),
        _aprl(
            "a5f3a4bd-4cf1-4196-a3cb-f5a0876198b2",
            "Resource lock for connections",
            "connections",
            'the field lock of a gateway with scope="group"',
        ),
        _aprl(
            "1c34faa8-8b99-974c-adbf-71922eae943c",
            "Monitor ExpressRoute gateways",
            instead="alerts and insights are made outside; diagnostics= keeps the logs",
        ),
        _aprl(
            "9186dae0-7ddc-8f4b-bea5-55538cea4893",
            "VPN gateway service health",
            instead="service health alerts belong to a subscription",
        ),
        _aprl(
            "f6a14b32-a727-4ace-b5fa-7b1c6bdff402",
            "FastPath for better data path performance",
            "connections",
            "a matter of need: fast_path=True, which R-ER-20 checks",
        ),
    )
}
"""Every rule of these tools about gateways, connections and their addresses, by key."""
