"""Reading the JSON of a request."""

from __future__ import annotations

import json

from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.wire import HttpRequest, Json


def read_body(request: HttpRequest) -> Json:
    """The JSON object of a request; anything else is refused as ARM does."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise front_door(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return body
