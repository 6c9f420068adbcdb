"""What ARM answers beside resources: groups, subscriptions, providers. One file each; the folder is the register.

A service is a module with ``answer(cloud, request, parts)``; it returns none for what is not its own.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

Service = Callable[[CloudView, HttpRequest, Sequence[str]], HttpResponse | None]


@cache
def _services() -> tuple[Service, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").answer for name in names)


def answer(cloud: CloudView, request: HttpRequest) -> HttpResponse | None:
    """The answer of the first service that knows the path; `parts` is the path in lower case, split."""
    parts = request.path.strip("/").lower().split("/")
    answers = (service(cloud, request, parts) for service in _services())
    return next((found for found in answers if found is not None), None)
