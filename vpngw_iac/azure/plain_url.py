r"""Whether a URL that an answer names may be followed with our token. Two parsers must agree on where it leads.

``https://evil\@management.azure.com/`` leads to management.azure.com for Python and to evil for urllib3, which makes
the connection (https://claroty.com/team82/research/exploiting-url-parsing-confusion). A URL of Azure's is plain:
https, a host name of letters, digits, dots and dashes, perhaps a port, a path and a query in printable ASCII.
"""

from __future__ import annotations

import re
import threading
from urllib.parse import urlsplit

LONGEST = 8192
"""Characters; Azure's signed operation URLs have about 1,500."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PLAIN = re.compile(
    rf"https://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@%/|]*(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?|]*)?)?"
)
"""No user, no backslash, no space, no control character, no percent sign in the host, no fragment. Azure writes a skip
token's ``|`` as it is."""

_LOADING = threading.Lock()
"""Threads that load one package at the same time may get a `_DeadlockError` or `KeyError` (python/cpython#91351)."""


def leads_home(url: object, endpoint: str) -> bool:
    """Whether a URL leads to the endpoint, or to one of its regional hosts, for everybody who may read it."""
    if not isinstance(url, str) or len(url) > LONGEST:
        return False
    found, home = _PLAIN.fullmatch(url), _PLAIN.fullmatch(endpoint.rstrip("/"))
    if found is None or home is None:
        return False
    host, ours = found["host"].lower(), home["host"].lower()
    if not (host == ours or host.endswith("." + ours)) or int(found["port"] or 443) != int(home["port"] or 443):
        return False
    return (host.strip("[]"), found["port"]) == _connected_to(url) == _read_by_python(url)


def _connected_to(url: str) -> tuple[str, str | None] | None:
    """Host and port that the transport will connect to: requests leaves that to urllib3."""
    with _LOADING:
        from urllib3.exceptions import LocationParseError
        from urllib3.util import parse_url

    try:
        parts = parse_url(url)
    except (LocationParseError, ValueError):
        return None
    return (parts.host or "").lower().strip("[]"), None if parts.port is None else str(parts.port)


def _read_by_python(url: str) -> tuple[str, str | None] | None:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", None if parts.port is None else str(parts.port)
    except ValueError:
        return None
