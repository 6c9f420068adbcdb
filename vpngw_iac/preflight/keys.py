"""Pre-shared keys. A value is judged only where it is at hand offline, and never shown."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.preflight.vnet_to_vnet import pairs
from vpngw_iac.secret import SecretReference

_KEY = "properties.sharedKey"
_WHITELIST = frozenset(chr(code) for code in range(33, 127)) - {"~"}
SHORTEST = 20


def _reference(connection: Connection) -> SecretReference | None:
    value = connection.resource.declared.get("properties", {})
    found = value.get("sharedKey") if isinstance(value, dict) else None
    return None if found is None or isinstance(found, str) else found


def _keys(topology: TopologyView) -> Iterator[tuple[Connection, str]]:
    """Keys whose value is at hand; each only once per connection."""
    if topology.reveal is None:
        return
    for connection in topology.connections:
        reference = _reference(connection)
        value = None if reference is None else topology.reveal(reference)
        if value is not None:
            yield connection, value


@rule(
    "R-PSK-01",
    "E",
    "Shared key has a character that Azure refuses",
    "FAQ",
    "Make a key of letters and digits.",
    when="change",
)
def key_characters(topology: TopologyView) -> Iterator[Violation]:
    """Printable ASCII without space and tilde. A hyphen is excluded by one page and works in practice: a warning.

    https://github.com/hashicorp/terraform-provider-azurerm (virtual_network_gateway_connection_resource_test.go) sets
    keys with hyphens against Azure.
    """
    for connection, value in _keys(topology):
        key = f"The shared key of {_reference(connection)}"
        if not set(value) <= _WHITELIST:
            yield Violation(connection.resource, f"{key} holds a space, '~', or a character beyond ASCII.", block=_KEY)
        elif "-" in value:
            says = f"{key} holds '-', which Microsoft's FAQ excludes and which Azure has taken."
            yield Violation(connection.resource, says, level="warning", block=_KEY)


@rule(
    "R-PSK-02",
    "E",
    "Shared key has a length that Azure refuses",
    "SDK",
    "Make a key of 32 letters and digits.",
    when="change",
)
def key_length(topology: TopologyView) -> Iterator[Violation]:
    """1 to 128 characters."""
    for connection, value in _keys(topology):
        if not 1 <= len(value) <= 128:
            yield Violation(
                connection.resource,
                f"The shared key of {_reference(connection)} has {len(value)} characters; Azure takes 1 to 128.",
                block=_KEY,
            )


@rule("R-PSK-03", "W", "Shared key is weak", "T-TUN", "Make a key of 32 letters and digits.", when="change")
def key_strength(topology: TopologyView) -> Iterator[Violation]:
    """20 letters and digits or more: some devices cut or refuse special characters."""
    for connection, value in _keys(topology):
        if 1 <= len(value) < SHORTEST:
            yield Violation(
                connection.resource,
                f"The shared key of {_reference(connection)} has fewer than {SHORTEST} characters.",
                block=_KEY,
            )


@rule("R-PSK-07", "F", "Both ends of a pair have different keys", "V2V", "Use one reference for both.")
def same_key(topology: TopologyView) -> Iterator[Violation]:
    """Both connections of a VNet-to-VNet pair bear one key; two references may still hold one value."""
    for one, other in pairs(topology):
        first, second = _reference(one), _reference(other)
        if first is None or second is None or first == second:
            continue
        values = (topology.reveal(first), topology.reveal(second)) if topology.reveal else (None, None)
        if None not in values and values[0] == values[1]:
            continue
        yield Violation(one.resource, f"Its key comes from {first}, that of {other.resource.address} from {second}.")
