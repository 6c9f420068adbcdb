"""One answer of Azure as a plain value, and how its headers and error bodies are read.

Knows the manners of ARM's HTTP. Must not know the SDK's exceptions or our error tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from vpngw_iac.azure.parse import UnreadableJson, at_most, parsed, seconds_of
from vpngw_iac.late_dataclass import dataclass

ABSENT = frozenset({
    "resourcenotfound", "notfound", "resourcegroupnotfound", "parentresourcenotfound",
    "roleassignmentnotfound",  # what Microsoft.Authorization says of its own ("Troubleshoot Azure RBAC")
})  # fmt: skip
"""Codes of a 404 that mean "Azure does not have it"; any other 404 is an error (recordings, deletes)."""

ID_LENGTH = 200
"""Longest id of a request or an operation that we note; Azure's are GUIDs."""

_LEVELS = 8
"""Errors inside errors that are read."""

_SECONDS_IN_TEXT = re.compile(r"\b(?:in|after)\s+'?(\d{1,9})'?\s+seconds", re.IGNORECASE)


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
        """Code and message in one line, with what the details add. May be long: cut it after masking, not before."""
        said: list[str] = []
        for error in self.walk():
            line = ": ".join(part for part in (error.code, " ".join(error.message.split())) if part)
            if line and not any(line in earlier for earlier in said):
                said.append(line)
        return " | ".join(said)


NOTHING = AzureError()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower-case names) and body of one HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    is_json: bool = True
    """Whether the body was JSON that we read, or empty."""
    unreadable: str = ""
    """Why the body is not, for a sentence: ``it is not JSON``."""
    client_request: str = ""
    """The request id that we sent."""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], content: bytes, client_request: str = "") -> Answer:
        """Parse the body; of what is not JSON only the reason is kept."""
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        if not content.strip(b" \t\r\n\xef\xbb\xbf"):
            return cls(status, lower, client_request=client_request)
        try:
            return cls(status, lower, parsed(content), client_request=client_request)
        except UnreadableJson as error:
            return cls(status, lower, None, is_json=False, unreadable=str(error), client_request=client_request)

    @property
    def is_refusal(self) -> bool:
        """Whether Azure has refused a write: a status from 400 to 499 other than 408, and ARM's error with a code.

        Every other end proves nothing: 5xx and 408 in whatever format, a redirect, a proxy's page.
        """
        return 400 <= self.status < 500 and self.status != 408 and self.is_json and bool(self.error.code)

    @property
    def is_success(self) -> bool:
        """Whether it is a success in ARM's manners: 2xx, and nothing that is not JSON or that is an error."""
        return 200 <= self.status < 300 and self.is_json and not self._is_error_body

    @property
    def _is_error_body(self) -> bool:
        """An error under a status that says success: a proxy that hides statuses, or a service in trouble."""
        return isinstance(_lower(self.body).get("error"), dict) and "status" not in _lower(self.body)

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
    def is_not_found_by_any_provider(self) -> bool:
        """The same in the words of any provider (``LockNotFound``); an unknown subscription or type is none."""
        code = self.error.code.lower()
        return self.is_absent or (
            self.status == 404 and self.is_json and code.endswith("notfound") and code != "subscriptionnotfound"
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds that Azure asks to wait, from the headers or from the message; zero counts as missing."""
        for name in ("retry-after-ms", "x-ms-retry-after-ms"):
            if milliseconds := seconds_of(self.headers.get(name, "")):
                return milliseconds / 1000
        value = self.headers.get("retry-after", "").strip()
        if value:
            return seconds_of(value)
        return seconds_in(self.error)

    @property
    def operation_urls(self) -> tuple[str, ...]:
        """Where the operation can be asked after; ``Azure-AsyncOperation`` before ``Location``."""
        named = (self.headers.get("azure-asyncoperation"), self.headers.get("location"))
        return tuple(url for url in named if url)

    @property
    def operation_id(self) -> str:
        """Id of the operation, as Microsoft's support asks for it."""
        path = next(iter(self.operation_urls), "").partition("?")[0]
        return path.rstrip("/").rpartition("/")[2][:ID_LENGTH]


def seconds_in(error: AzureError) -> float | None:
    """``can be retried in 11 seconds``, ``try again after '6' seconds``: the only hint that some 429 carry."""
    for each in error.walk():
        found = _SECONDS_IN_TEXT.search(each.message)
        if found:
            return at_most(float(found[1]))
    return None


def error_in(body: Any) -> AzureError:
    """The error of a body: wrapped or bare, with lower-case or (group deletes) capital keys."""
    outer = _lower(body)
    if not outer:
        return NOTHING
    return _error(outer["error"]) if isinstance(outer.get("error"), dict) else _error(outer)


def _error(value: Any, level: int = 0) -> AzureError:
    fields = _lower(value)
    if isinstance(fields.get("error"), dict) and "code" not in fields and level < _LEVELS:
        return _error(fields["error"], level + 1)
    message, code = fields.get("message"), fields.get("code")
    text = message if isinstance(message, str) else ""
    inside = fields.get("details")
    found = [*(inside if isinstance(inside, list) else ()), fields.get("innererror")]
    nested = _json_object(text)
    if nested is not None and level < _LEVELS:
        # A blocked group delete puts the provider's whole error, as JSON text, into the message.
        found.insert(0, nested)
        text = ""
    details = [_error(item, level + 1) for item in found if isinstance(item, dict)] if level < _LEVELS else []
    # A proxy's ``{"code": 407}`` has no code in ARM's sense: ARM's are words.
    named = code.strip() if isinstance(code, str) else ""
    return AzureError(named, text, tuple(detail for detail in details if detail != NOTHING))


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = parsed(text.encode("utf-8", errors="replace"))
    except UnreadableJson:
        return None
    return value if isinstance(value, dict) else None


def _lower(value: Any) -> dict[str, Any]:
    return {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}
