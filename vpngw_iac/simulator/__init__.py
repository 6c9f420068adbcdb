"""An embedded simulator of Azure Resource Manager: documents by id behind ARM's manners.

It knows ARM's JSON and nothing of this package's own resources: two independent witnesses.
"""

from vpngw_iac.simulator.clock import ScaledTime, Time, VirtualTime
from vpngw_iac.simulator.cloud_view import Switches
from vpngw_iac.simulator.faults import Fault, read_faults
from vpngw_iac.simulator.files import erase
from vpngw_iac.simulator.governance import (
    Condition,
    FederatedCredential,
    Governance,
    Grant,
    Policy,
    Principal,
    read_governance,
)
from vpngw_iac.simulator.simulator import Simulator
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

__all__ = [
    "Condition",
    "Fault",
    "FederatedCredential",
    "Governance",
    "Grant",
    "HttpRequest",
    "HttpResponse",
    "Policy",
    "Principal",
    "ScaledTime",
    "Simulator",
    "Switches",
    "Time",
    "VirtualTime",
    "erase",
    "read_faults",
    "read_governance",
]
