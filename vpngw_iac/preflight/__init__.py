"""What must be true first: rules over the compiled resources of a file, before anything is created.

One file per area, one function per rule. The areas are loaded by the first call of `check` or `rules`.
"""

from __future__ import annotations

from vpngw_iac.preflight.catalogue import find, rules
from vpngw_iac.preflight.checking import PROFILES, check
from vpngw_iac.preflight.of_blueprint import backups_of, gateway_networks_of, managed_twice, named_twice, waivers_of
from vpngw_iac.preflight.registry import Rule

__all__ = [
    "PROFILES",
    "Rule",
    "backups_of",
    "check",
    "find",
    "gateway_networks_of",
    "managed_twice",
    "named_twice",
    "rules",
    "waivers_of",
]
