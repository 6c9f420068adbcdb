"""Where the simulator is known to answer something else than a recording, and why. Everything else is a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.simulator.replay import Deviation


@dataclass(frozen=True, slots=True)
class Known:
    """One documented deviation."""

    reason: str
    what: str
    """Pattern for the whole of what differs."""
    recording: str = ".*"
    path: str = ".*"
    sku: str = ".*"
    until: str = "9999"
    """Only for answers of before this day: the service changed then, in all api-versions at once."""
    before: str = "9999"
    """Only for api-versions before this one."""
    busy: bool = False
    """Only for answers of a resource that is being changed."""

    def covers(self, deviation: Deviation) -> bool:
        """Whether the deviation is this one."""
        return bool(
            deviation.date < self.until
            and deviation.version < self.before
            and (deviation.busy or not self.busy)
            and re.fullmatch(self.recording, deviation.recording)
            and re.fullmatch(self.sku, deviation.sku)
            and re.search(self.path, deviation.path)
            and re.fullmatch(self.what, deviation.what)
        )


KNOWN = (
    Known(
        "A template's reference() shows it whatever the version.",
        r"properties\.outputs\.resource\.value\.authenticationType is missing",
        path=r"Microsoft.Resources/deployments/",
    ),
    Known("Nobody guesses the key that a reset makes.", r"value is .*", path=r"connections/[^/]+/sharedkey$"),
    Known(
        "Groups tell it since api-version 2019-07-01.",
        r"type is too much",
        path=r"resourcegroups/",
        before="2019-07-01",
    ),
    Known(
        "Groups have told it since the summer of 2019.", r"type is too much", path=r"resourcegroups/", until="2019-08"
    ),
    Known("Shown to an older version too in its first year.", r".*publicIPAddressVersion is missing", until="2017"),
    Known("A gateway without a SKU was Basic then.", r"(status|error).*GatewaySkuMissing.*", until="2016"),
    Known(
        "The PUT of an address out of a prefix did not show it yet.",
        r"properties\.ipAddress is too much",
        until="2021-11",
    ),
    Known(
        "The GatewaySubnet was made before the recording, so its addresses are not known.",
        r"properties\.bgpSettings\.bgpPeeringAddress is '10\.255\.255\..*",
    ),
    Known("Circuits knew less then.", r"properties\.(azureASN|lastModifiedBy) is .*", path="peerings", until="2017-06"),
    Known("While addresses got it, some had it.", r".*ddosSettings\..* is missing", until="2023-12"),
    Known(
        "Tunnels of the simulator are told by the status of their connection.",
        r"properties\.tunnelConnectionStatus.* is missing",
    ),
    Known("Counters come and go.", r".*vpnClientConnectionHealth.* is (too much|missing)"),
    Known(
        "Finished operations have told empty properties since 2021.",
        r"properties is too much",
        path="operations/",
        until="2021",
    ),
    Known(
        "The addresses of a gateway that is being changed may be there already.",
        r"properties\.bgpSettings\..*",
        path="virtualNetworkGateways",
        busy=True,
    ),
    Known(
        "A group that was put twice within seconds was new both times.",
        r"status 200  instead of 201",
        path="resourcegroups/[^/]+$",
    ),
    Known(
        "Only the beginning of this delete was recorded; R-ORD-02 says that it cannot end well.",
        r"status 400 VirtualNetworkGatewayCannotBeDeleted instead of 202",
    ),
    Known(
        "Recorded before it was renamed for a profile of older versions.",
        r".*properties\.connections is missing",
        path="peerings",
        until="2019",
    ),
    Known(
        "Until 2018 a peering on its way was Disabled.", r".*state is 'Enabled' instead of 'Disabled'", until="2018-09"
    ),
    Known(
        "What the role was assigned on was made in a recording of its own.",
        r"status 404 ResourceNotFound instead of 409",
        recording="errors_bundle_open",
        path="roleAssignments",
    ),
    Known(
        "The circuits were made in a recording of their own.",
        r"status 404 ParentResourceNotFound instead of 201",
        recording="errors_bundle_open",
        path="AzurePrivatePeering/connections/conn12",
    ),
    Known(
        "Lists of locks lag behind their writes by a second or two.",
        r"value\[.*",
        path="locks$",
    ),
    Known("None of our clients asks with HEAD.", r"status 501 NotSimulated instead of 404"),
    Known("Somebody else had removed it in between.", r"status 202  instead of 204"),
    Known(
        "In 2015 and 2016 gateways told another capacity, and a private address.",
        r".*sku\.capacity is 2 instead of 0|.*privateIPAddress is missing",
        until="2017",
    ),
    Known(
        "The recorder masked what was put, so nobody knows what it was.",
        r"(value)? ?is missing|value is .*|properties\.\w+ is (missing|too much)",
        recording=r"xplat_.*vpn-connection.*",
        path="connections",
        until="2018",
    ),
    Known(
        "Region by region, during 2024 and back again.",
        r".*(allowRemoteVnetTraffic|allowVirtualWanTraffic) is (missing|too much)",
    ),
    Known(
        "Answers showed it until the autumn of 2019, and again since api-version 2020-07-01.",
        r"(.*\.)?sku\.tier is missing",
        until="2019-11",
    ),
    Known(
        "The default of this policy changed from Enabled to Disabled over the years.",
        r".*privateEndpointNetworkPolicies is 'Disabled' instead of 'Enabled'",
        until="2024",
    ),
    Known(
        "Until the spring of 2020 an updating gateway did not show the BGP block yet.",
        r"properties\.bgpSettings\..* is too much",
        path="virtualNetworkGateways",
        until="2020-04",
    ),
    Known(
        "The order of protocols in answers, and the default of 2018 and 2019, changed; they are compared as a set.",
        r".*vpnClientProtocols(\[\d\])? (is '\w+' instead of '\w+'|is too much|is missing)",
        until="2021",
    ),
    Known(
        "Two recordings of one morning in July 2023 show Basic gateways without a BGP block, one of 2016 too; those of "
        "2018 and February 2023 have it, and so have gateways that people hold.",
        r"properties\.bgpSettings\..* is too much",
        recording="test_network_vnet_gateway_edge_zone|test_network_vpn_gateway_disconnect_connects|xplat_arm-.*",
        sku="Basic",
    ),
    Known(
        "What a delegated service may do, and where an endpoint reaches, is each service's own.",
        r".*(delegations\[.*\.actions|serviceEndpoints\[.*\.locations)\b.*",
    ),
    Known("An internal id that one group of answers of 2020 carried.", r".*subnetID is missing"),
    Known("Each region has a community of its own; the simulator has one.", r".*regionalCommunity is .*"),
    Known(
        "The state of advertised prefixes was set at once in 2019.",
        r".*advertisedPublicPrefixesState is .*",
        until="2021-01",
    ),
    Known(
        "A poll and its neighbour of the same second may be swapped in these recordings.",
        r"status is 'Succeeded' instead of 'InProgress'",
        recording=r"net_.*",
    ),
    Known(
        "In 2019 a group gave up when its network was asked before its gateway; the simulator finds the order.",
        r"status 200  instead of 409",
        recording=r"net_.*",
    ),
    Known("Gateways of type LocalGateway are not simulated.", r"status (501|404) .*", recording=r".*local_gateway"),
    Known(
        "Network interfaces and machines are not simulated, so nothing holds these addresses.",
        r"status \d+ .*|properties\.(ipAddress|ipConfiguration\.id) is missing",
        recording=r"test_delete_dependent_resources",
    ),
    Known(
        "The write that keeps the connection busy was masked by the recorder, so nothing runs here.",
        r"status 20[24] .*instead of 409|error code ResourceNotFound instead of NotFound",
        recording=r"xplat_.*vpn-(connection|gateway)-tests",
    ),
    Known(
        "The recorder kept this body in an encoding of its own.",
        r"encodedContent is missing",
    ),
    Known(
        "Within seconds of a delete either shape of absence is answered.",
        r"error code (NotFound|ResourceNotFound) instead of (NotFound|ResourceNotFound)",
    ),
)


def unknown(deviations: list[Deviation]) -> list[Deviation]:
    """The deviations that nobody has explained."""
    return [deviation for deviation in deviations if not any(known.covers(deviation) for known in KNOWN)]
