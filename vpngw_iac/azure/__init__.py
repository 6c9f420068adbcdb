"""The real cloud. `CloudClient` leads to the SDK: nothing of it is imported before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vpngw_iac.azure.cloud_client import CloudClient

__all__ = ["NO_TENANT", "CloudClient", "Send"]

Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]
"""``send(method, url, headers, body)`` gives status, headers and body: what stands in for the network.

An `OSError` of it is a broken connection.
"""

NO_TENANT = "00000000-0000-0000-0000-000000000000"
"""Tenant of a cloud that nobody signs in to."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vpngw_iac.azure import cloud_client

    return getattr(cloud_client, name)
