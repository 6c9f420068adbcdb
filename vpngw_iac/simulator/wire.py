"""A request and an answer as plain values: what crosses each door of the simulator."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from vpngw_iac.late_dataclass import dataclass

Json = dict[str, Any]

PUBLIC = "https://management.azure.com"
"""Where the public cloud answers: the host of requests that name none."""


_ENCODED = re.compile(r"(?:%(?!2[5Ff]|3[CcEeFf]|[01])[0-9A-Fa-f]{2})+")
"""What clients encode in names that have it: ``(``, ``)``, blanks, letters beyond ASCII; nothing that ends a name."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request; header names are lower case, the query's names as sent."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    host: str = PUBLIC
    caller: str = ""
    """Client id of who sends it, as its token says; empty for whoever needs none."""

    @classmethod
    def of(
        cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpRequest:
        """From a whole URL, as an HTTP client holds it."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else PUBLIC
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = _ENCODED.sub(lambda found: unquote(found[0]), parts.path)
        return cls(method.upper(), path, query, lower, body, host)

    @property
    def api_version(self) -> str:
        """The api-version asked for; empty when there is none."""
        return next((value for name, value in self.query.items() if name.lower() == "api-version"), "")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP answer. `body` is what JSON can hold, or text for the answers that are not JSON."""

    status: int
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    html: bool = False
    raw: bytes | None = field(default=None, repr=False)
    """In place of `body`, byte by byte."""

    @property
    def content(self) -> bytes:
        """The body as bytes; empty when the answer has none."""
        if self.raw is not None:
            return self.raw
        if self.body is None:
            return b""
        if self.html:
            return str(self.body).encode()
        return json.dumps(self.body).encode()

    def with_headers(self, **more: str) -> HttpResponse:
        """The same answer with headers added; underscores in names stand for dashes."""
        added = {name.replace("_", "-"): value for name, value in more.items()}
        return replace(self, headers={**self.headers, **added})
