"""What can be asked of a served simulator and of no real cloud: under ``/.simulator/``."""

from __future__ import annotations

from dataclasses import asdict

from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.simulator import Simulator
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

PREFIX = "/.simulator/"


def answer(simulator: Simulator, request: HttpRequest) -> HttpResponse | None:
    """Documents, requests, reset, and the service provider's hand; none for what is not below the prefix."""
    if not request.path.startswith(PREFIX):
        return None
    wish = (request.method, request.path.removeprefix(PREFIX).strip("/"))
    if wish == ("GET", "documents"):
        return HttpResponse(200, simulator.documents())
    if wish == ("GET", "requests"):
        return HttpResponse(200, [asdict(logged) for logged in list(simulator.requests)])
    if wish == ("POST", "reset"):
        simulator.reset()
        return HttpResponse(204)
    if wish == ("POST", "provision"):
        return _provision(simulator, request)
    return HttpResponse(404, {"error": {"code": "NotFound", "message": f"The simulator has no {' '.join(wish)}."}})


def _provision(simulator: Simulator, request: HttpRequest) -> HttpResponse:
    try:
        body = read_body(request)
        simulator.provision_circuit(str(body.get("id", "")), str(body.get("state", "Provisioned")))
    except KeyError as error:
        return HttpResponse(404, {"error": {"code": "NotFound", "message": f"There is no circuit {error.args[0]!r}."}})
    except Refusal as refusal:
        return refusal.answer()
    return HttpResponse(204)
