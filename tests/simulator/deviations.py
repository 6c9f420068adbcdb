"""Where the simulator is known to answer something else than a recording, and why. Everything else is a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.simulator.replay import Deviation

SHAPE = r"(is missing|is too much|instead of \S+)$"


@dataclass(frozen=True, slots=True)
class Known:
    """One documented deviation."""

    reason: str
    what: str
    """Pattern for the whole of what differs."""
    recording: str = ".*"
    path: str = ".*"
    before: str = "9999"
    """Only for api-versions before this one."""

    def covers(self, deviation: Deviation) -> bool:
        """Whether the deviation is this one."""
        return bool(
            deviation.version < self.before
            and re.fullmatch(self.recording, deviation.recording)
            and re.search(self.path, deviation.path)
            and re.fullmatch(self.what, deviation.what)
        )


KNOWN = (
    Known(
        "Property sets of api-versions before 2019 are modelled only where a recording of the day agrees with itself.",
        r"(?!status)(?!error).*" + SHAPE,
        before="2019-01-01",
    ),
    Known(
        "Azure added and withdrew it within 2024: answers of September have it, answers of November in the same "
        "api-version have not.",
        r".*ipamPoolPrefixAllocations is missing",
    ),
    Known(
        "The default of this policy changed from Enabled to Disabled over the years.",
        r".*privateEndpointNetworkPolicies is 'Disabled' instead of 'Enabled'",
        before="2021-01-01",
    ),
    Known(
        "Before 2019-11 an updating gateway did not show the BGP block yet.",
        r"properties\.bgpSettings\.(asn|peerWeight) is too much",
        path="virtualNetworkGateways",
        before="2019-11-01",
    ),
    Known(
        "The order of protocols in answers, and the default of 2018 and 2019, changed; they are compared as a set.",
        r".*vpnClientProtocols\[\d\] (is '\w+' instead of '\w+'|is too much)",
        before="2020-01-01",
    ),
    Known(
        "Basic gateways of February 2023 had a BGP block; since July 2023 they have none.",
        r"properties\.bgpSettings\..* is missing",
        recording=r"test_network_vpn_gateway",
        path="virtualNetworkGateways/gateway2",
    ),
    Known(
        "Came with a date of the service, not with an api-version.",
        r".*(virtualNetworkGatewayMigrationStatus\.\w+|allowRemoteVnetTraffic|allowVirtualWanTraffic"
        r"|disableIPSecReplayProtection|authenticationType) (is missing|is too much)",
    ),
    Known("An internal id that one group of answers of 2020 carried.", r".*subnetID is missing"),
    Known("Each region has a community of its own; the simulator has one.", r".*regionalCommunity is .*"),
    Known(
        "The state of advertised prefixes was set at once in 2019.",
        r".*advertisedPublicPrefixesState is .*",
        before="2021-01-01",
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
        "The circuit was made before the recording begins.",
        r"status 404 .*|error code ResourceNotFound instead of NotFound",
        recording=r"xplat_.*authorization.*",
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
