"""What can be asked of a served simulator and of no real cloud: under ``/.simulator/``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.governance import Governance
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.simulator import Simulator
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

PREFIX = "/.simulator/"


def answer(simulator: Simulator, request: HttpRequest) -> HttpResponse | None:
    """Documents, requests, rights, reset, and the hands of a provider and of others; none for what is no wish."""
    if not request.path.startswith(PREFIX):
        return None
    wish = (request.method, request.path.removeprefix(PREFIX).strip("/"))
    if wish == ("GET", "documents"):
        return HttpResponse(200, simulator.documents())
    if wish == ("GET", "requests"):
        return HttpResponse(200, [asdict(logged) for logged in list(simulator.requests)])
    if wish == ("GET", "permitted"):
        return _permitted(simulator.governance, request)
    hands: dict[str, Callable[[Json], object]] = {
        "reset": lambda _: simulator.reset(),
        "provision": lambda body: simulator.provision_circuit(body["id"], body.get("state", "Provisioned")),
        "load": lambda body: simulator.load(body["documents"], body.get("secrets")),
        "set": lambda body: simulator.set(body["id"], body["values"]),
        "delete": lambda body: simulator.delete(body["id"]),
    }
    if wish[0] != "POST" or wish[1] not in hands:
        return _refused(404, f"The simulator has no {' '.join(wish)}.")
    try:
        hands[wish[1]](read_body(request))
    except KeyError as error:
        return _refused(404, f"There is no {error.args[0]}.")
    except (SimulatorError, TypeError, ValueError, AttributeError) as error:
        return _refused(400, str(error))
    except Refusal as refusal:
        return refusal.answer()
    return HttpResponse(204)


def _permitted(decided: Governance, request: HttpRequest) -> HttpResponse:
    """Whether the caller may do an action at a scope, for services that stand beside this one, such as a store."""
    scope, action = (request.query.get(name, "") for name in ("scope", "action"))
    if not scope or not action:
        return _refused(400, "What may be done is asked with scope=ID and action=NAME, and data=true for data.")
    ask = decided.permits_data if request.query.get("data") == "true" else decided.permits
    return HttpResponse(200, {"permitted": ask(scope, action, request.caller)})


def _refused(status: int, message: str) -> HttpResponse:
    return HttpResponse(status, {"error": {"code": "NotFound" if status == 404 else "BadRequest", "message": message}})
