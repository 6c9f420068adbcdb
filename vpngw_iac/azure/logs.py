"""Logs of gateways in Log Analytics, asked by the gateway's own id: no workspace need be named.

The client is azure-monitor-query, which only `diagnose` needs: it is an extra of the package.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from vpngw_iac.arm import ArmId
from vpngw_iac.azure.sign_in import Tokens
from vpngw_iac.masks import Masks
from vpngw_iac.verify.gateway_log import QUERY, GatewayLog, LogUnread

EXTRA = "vpngw-iac[diagnose]"
SECONDS = 60
"""How long the service may think about a query."""

_NO_TABLE = "failed to resolve table"
"""What the service says where no row of any resource ever arrived (page "AzureDiagnostics")."""

_MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError)
"""What the client raises for an answer of another shape than the service's."""


class Logs:
    """The logs of one cloud. Every failure to read is a value: what cannot be read proves nothing."""

    def __init__(self, tokens: Callable[[], Tokens], endpoint: str, transport: Any, masks: Masks | None = None) -> None:
        """`endpoint` of the service in this cloud; empty where it is not known."""
        self._tokens = tokens
        self._endpoint = endpoint
        self._transport = transport
        self._masks = masks or Masks()
        self._client: Any = None

    def of(self, gateway: ArmId, since: timedelta) -> GatewayLog | LogUnread:
        """What a gateway has written since then, as far as it has arrived."""
        if not self._endpoint:
            return LogUnread("It is not known where this cloud answers queries of logs.")
        try:
            client = self._opened()
        except ImportError:
            return LogUnread("Logs are read by a package that is not installed.", f"Install it: pip install '{EXTRA}'.")
        try:
            return _log_of(client.query_resource(str(gateway), QUERY, timespan=since, server_timeout=SECONDS))
        except ClientAuthenticationError:
            return LogUnread("Whoever is signed in gets no token for Log Analytics.", "Sign in again (`az login`).")
        except HttpResponseError as error:
            return self._refused(error)
        except (AzureError, *_MISSHAPEN) as error:
            return LogUnread(f"The service of logs did not answer as it should: {self._said(error)}")

    def _refused(self, error: HttpResponseError) -> GatewayLog | LogUnread:
        said = self._said(error)
        if error.status_code is None or error.status_code < 400:
            return LogUnread(f"The service of logs did not answer as it should: {said}")
        if error.status_code == 403:
            return LogUnread(
                "Whoever is signed in may not read the logs of this gateway.",
                "Reader on the gateway, or Log Analytics Reader on the workspace, is enough.",
            )
        if error.status_code == 400 and _NO_TABLE in said.lower():
            return GatewayLog()
        return LogUnread(f"The service of logs refused the query (HTTP {error.status_code}): {said}")

    def _said(self, error: Exception) -> str:
        return self._masks.scrub(" ".join(str(error).split()))[:300]

    def _opened(self) -> Any:
        if self._client is None:
            from azure.monitor.query import LogsQueryClient

            chosen = {} if self._transport is None else {"transport": self._transport}
            self._client = LogsQueryClient(self._tokens(), endpoint=self._endpoint, retry_total=2, **chosen)
        return self._client


def _log_of(result: Any) -> GatewayLog | LogUnread:
    """Both forms of an answer: the whole, or a part with the reason why there is no more."""
    partial = getattr(result, "partial_data", None)
    tables = partial if partial is not None else getattr(result, "tables", None)
    if not tables:
        return LogUnread("The service of logs answered without a table.")
    rows = [dict(zip(tables[0].columns, row, strict=False)) for row in tables[0].rows]
    return GatewayLog.of(rows, is_cut=partial is not None)
