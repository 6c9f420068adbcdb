"""The network with an end: no body is larger, and no answer slower, than anything that Azure sends.

A socket's own timeout counts from byte to byte: who sends one a second is never late. The whole exchange has a limit,
headers included, and is cut where it passes it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from vpngw_iac.azure.deadlines import Deadlines
from vpngw_iac.azure.retry import SILENCE
from vpngw_iac.text import duration

MAX_BYTES = 64 * 1024 * 1024
"""Of one body. A page of a thousand gateways has a few million bytes."""
MAX_SECONDS = 300.0
"""Of one exchange, from the request to the last byte of the answer."""

MAX_PAUSE = 9.0
"""Seconds between two tries of the clients of Key Vault and of sign-in. They try three times more, so that nobody waits
half a minute in silence, and no ``Retry-After`` holds a run for days."""

_THREAD = threading.local()
_DEADLINES = Deadlines()


class Exchange:
    """One request and its answer, watched from another thread."""

    def __init__(self, tell: Callable[[str], None], seconds: float) -> None:
        self.connection: Any = None
        self.is_late = False
        self._tell = tell
        self._seconds = seconds

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        """Tells after half a minute that somebody is waited for, and cuts the connection when the time is over."""
        silence = f"{what}: no complete answer for {duration(SILENCE)}; the connection is cut after "
        word = _DEADLINES.after(SILENCE, lambda: self._tell(f"{silence}{duration(self._seconds)}."))
        end = _DEADLINES.after(self._seconds, self._cut)
        _THREAD.exchange = self
        try:
            yield
        finally:
            _THREAD.exchange = None
            word.cancel()
            end.cancel()

    def _cut(self) -> None:
        self.is_late = True
        opened = getattr(self.connection, "sock", None)
        if opened is not None:
            try:
                socket.socket.shutdown(opened, socket.SHUT_RDWR)  # wakes whoever reads from it
            except OSError:
                return  # it is closed already

    def body(self, response: requests.Response) -> bytes:
        """The whole body, within the limits."""
        parts, size = [], 0
        for part in response.iter_content(65_536):
            size += len(part)
            if size > MAX_BYTES:
                response.close()
                raise ServiceResponseError(f"the answer is larger than {MAX_BYTES // 1024**2} MiB")
            parts.append(part)
        return b"".join(parts)


class _Connection(HTTPSConnection):
    """Says in which exchange it works."""

    def request(self, *arguments: Any, **options: Any) -> None:
        exchange = getattr(_THREAD, "exchange", None)
        if exchange is not None:
            exchange.connection = self
        super().request(*arguments, **options)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self.poolmanager.pool_classes_by_scheme | {"https": _Pool}

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = manager.pool_classes_by_scheme | {"https": _Pool}
        return manager


def session() -> requests.Session:
    """One connection pool for all clients, wide enough for all reading threads."""
    opened = requests.Session()
    opened.mount("https://", _Adapter(pool_connections=8, pool_maxsize=48, max_retries=0))
    return opened


class LimitedTransport(RequestsTransport):  # type: ignore[misc]  # the SDK loads it lazily, untyped
    """The SDK's transport; an answer is completely read here, within the limits."""

    def __init__(
        self,
        tell: Callable[[str], None] | None = None,
        *,
        seconds: float = MAX_SECONDS,
        pause: float = MAX_PAUSE,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._pause = pause
        self._tell = tell or (lambda _: None)
        self._seconds = seconds

    def sleep(self, duration: float) -> None:
        """Between two tries of the SDK, whatever pause the answer asks for."""
        super().sleep(min(self._pause, duration))

    def send(self, request: Any, *, proxies: Any = None, **options: Any) -> Any:
        """One exchange. Whatever breaks while the answer is read is a broken connection."""
        from vpngw_iac.azure.transport import PlainResponse

        exchange = Exchange(self._tell, self._seconds)
        with exchange.watched(f"{request.method} {request.url.partition('?')[0]}"):
            try:
                answered = super().send(request, proxies=proxies, **(options | {"stream": True}))
                raw = getattr(answered, "_internal_response", None) or answered.internal_response
                content = exchange.body(raw)
            except Exception as error:
                if isinstance(error, requests.RequestException | OSError) and not exchange.is_late:
                    raise ServiceResponseError(error, error=error) from error
                if not exchange.is_late:
                    raise
        if exchange.is_late:  # an end that comes while headers are read looks like their end
            raise ServiceResponseError(f"no complete answer within {duration(self._seconds)}; the connection was cut")
        return PlainResponse(request, answered.status_code, answered.headers, content)
