"""One answer of Azure as a plain value, and how its headers and error bodies are read.

Knows the manners of ARM's HTTP. Must not know the SDK's exceptions or our error tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

ABSENT = frozenset({"resourcenotfound", "notfound", "resourcegroupnotfound", "parentresourcenotfound"})
"""Codes of a 404 that mean "Azure does not have it"; any other 404 is an error (recordings, deletes)."""

_SECONDS_IN_TEXT = re.compile(r"\b(?:in|after)\s+'?(\d+)'?\s+seconds", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AzureError:
    """What an ARM error body says. Codes may begin with a space (recording ``errors_bundle_open``)."""

    code: str = ""
    message: str = ""
    details: tuple[AzureError, ...] = ()

    def walk(self) -> Iterator[AzureError]:
        """Itself, then everything inside, outermost first."""
        yield self
        for detail in self.details:
            yield from detail.walk()

    def codes(self) -> frozenset[str]:
        """All codes in it, in lower case."""
        return frozenset(error.code.lower() for error in self.walk() if error.code)

    def text(self) -> str:
        """Code and message in one line, with what the details add."""
        said: list[str] = []
        for error in self.walk():
            line = ": ".join(part for part in (error.code, " ".join(error.message.split())) if part)
            if line and not any(line in earlier for earlier in said):
                said.append(line)
        return " | ".join(said)[:1500]


NOTHING = AzureError()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower-case names) and body of one HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    is_json: bool = True
    """Whether the body was JSON, or empty."""
    client_request: str = ""
    """The request id that we sent."""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], content: bytes, client_request: str = "") -> Answer:
        """Parse the body; what is not JSON is kept as text for the message only."""
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        text = content.decode("utf-8-sig", errors="replace")
        if not text.strip():
            return cls(status, lower, None, True, client_request)
        try:
            return cls(status, lower, json.loads(text), True, client_request)
        except ValueError:
            return cls(status, lower, text[:2000], False, client_request)

    @property
    def document(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def error(self) -> AzureError:
        """The error in the body; empty when there is none."""
        return error_in(self.body)

    @property
    def is_absent(self) -> bool:
        """Whether Azure says that the resource does not exist."""
        return self.status == 404 and self.is_json and self.error.code.lower() in ABSENT

    @property
    def is_absent_of_a_kind(self) -> bool:
        """The same in the words of any provider (``LockNotFound``); an unknown subscription or type is none."""
        code = self.error.code.lower()
        return self.is_absent or (
            self.status == 404 and self.is_json and code.endswith("notfound") and code != "subscriptionnotfound"
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds that Azure asks to wait, from the headers or from the message; zero counts as missing."""
        for name in ("retry-after-ms", "x-ms-retry-after-ms"):
            if self.headers.get(name, "").isdigit():
                return int(self.headers[name]) / 1000 or None
        value = self.headers.get("retry-after", "").strip()
        if value:
            return _seconds(value)
        return seconds_in(self.error)

    @property
    def operation_url(self) -> str | None:
        """Where the operation can be asked after; ``Azure-AsyncOperation`` before ``Location``."""
        return self.headers.get("azure-asyncoperation") or self.headers.get("location") or None

    @property
    def operation_id(self) -> str:
        """Id of the operation, as Microsoft's support asks for it."""
        path = (self.operation_url or "").partition("?")[0]
        return path.rstrip("/").rpartition("/")[2]


def seconds_in(error: AzureError) -> float | None:
    """``can be retried in 11 seconds``, ``try again after '6' seconds``: the only hint that some 429 carry."""
    for each in error.walk():
        found = _SECONDS_IN_TEXT.search(each.message)
        if found:
            return float(found[1])
    return None


def _seconds(value: str) -> float | None:
    try:
        return max(0.0, float(value)) or None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()) or None
    except (ValueError, TypeError):
        return None


def error_in(body: Any) -> AzureError:
    """The error of a body: wrapped or bare, with lower-case or (group deletes) capital keys."""
    outer = _lower(body)
    if not outer:
        return NOTHING
    return _error(outer["error"]) if isinstance(outer.get("error"), dict) else _error(outer)


def _error(value: Any) -> AzureError:
    fields = _lower(value)
    if "error" in fields and "code" not in fields:
        return _error(fields["error"])
    message = str(fields.get("message") or "")
    details = [_error(item) for item in fields.get("details") or () if isinstance(item, dict)]
    inner = fields.get("innererror")
    if isinstance(inner, dict):
        details.append(_error(inner))
    nested = _json_object(message)
    if nested is not None:
        # A blocked group delete puts the provider's whole error, as JSON text, into the message.
        details.insert(0, _error(nested))
        message = ""
    code = str(fields.get("code") or "").strip()
    return AzureError(code, message, tuple(detail for detail in details if detail != NOTHING))


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _lower(value: Any) -> dict[str, Any]:
    return {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}
