"""A plain callable as a transport of the SDK: how the simulator, or a scripted test, sits behind the real client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict

from vpngw_iac.azure import Send

CONNECT_SECONDS = 30
READ_SECONDS = 120


def https_transport(tell: Callable[[str], None] | None = None, pool: Any = None) -> HttpTransport[Any, Any]:
    """The real network through a pool of connections. `tell` hears, from any thread, of a late answer."""
    from vpngw_iac.azure.limits import LimitedTransport, session

    transport: HttpTransport[Any, Any] = LimitedTransport(
        tell,
        session=pool or session(),
        session_owner=False,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    return transport


class CallableTransport(HttpTransport[Any, Any]):
    """Hands each request to a callable; no network, no sleeping."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def send(self, request: Any, **options: Any) -> Any:
        """One exchange."""
        body = request.content if hasattr(request, "content") else request.data
        try:
            status, headers, content = self._send(request.method, request.url, dict(request.headers), _bytes(body))
        except OSError as error:
            raise ServiceResponseError(error, error=error) from error
        return PlainResponse(request, status, headers, content)

    def sleep(self, duration: float) -> None:
        """Nothing waits here: waiting belongs to the scheduler."""

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


def _bytes(body: Any) -> bytes | None:
    """JSON arrives as text, the form of a token request as a mapping."""
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return urlencode(body).encode()


class PlainResponse(HttpResponse):
    """An answer that is completely there, as the SDK wants to see it."""

    def __init__(self, request: HttpRequest, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self._request = request
        self._status = status
        self._headers = case_insensitive_dict(dict(headers))
        self._content = content
        self._encoding: str | None = None

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        try:
            return HTTPStatus(self._status).phrase
        except ValueError:
            return ""

    @property
    def content_type(self) -> str | None:
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._content

    def text(self, encoding: str | None = None) -> str:
        return self._content.decode(encoding or self._encoding or "utf-8-sig", errors="replace")

    def json(self) -> Any:
        import json

        return json.loads(self.text())

    def raise_for_status(self) -> None:
        if self._status >= 400:
            raise HttpResponseError(response=self)

    def read(self) -> bytes:
        return self._content

    def iter_raw(self, **options: Any) -> Iterator[bytes]:
        yield self._content

    def iter_bytes(self, **options: Any) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        """It holds no connection."""

    def __enter__(self) -> PlainResponse:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()
