"""A line to a chat by its incoming webhook; the address is a secret, which nothing ever shows.

Slack, Mattermost and Google Chat take ``{"text": ...}`` (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
https://developers.google.com/workspace/chat/quickstart/webhooks); workflows of Teams take an adaptive card
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from vpngw_iac.errors import UsageError, VpngwError

_TEAMS = (".logic.azure.com", ".api.powerplatform.com", ".webhook.office.com")
_TRIES = 3


class WebhookFailed(VpngwError):
    """The chat did not take it."""


def post_line(url: str, text: str) -> None:
    """Send it. Raises `WebhookFailed`, and `UsageError` for an address that is not ``https://``."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    if not parts.hostname or (parts.scheme != "https" and not is_local):
        raise UsageError("WEBHOOK is no https:// address.", advice="Copy the address of the incoming webhook.")
    status = 0
    for _ in range(_TRIES):
        status = _sent(url, _content(parts.hostname, text))
        if status not in (0, 429) and status < 500:
            break
    if not 200 <= status < 300:
        raise WebhookFailed(f"The webhook of the chat answered {status or 'nothing'}.", advice="Make a new webhook.")


def _content(host: str, text: str) -> dict[str, Any]:
    if not host.endswith(_TEAMS):
        return {"text": text}
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": True}]}
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _sent(url: str, content: dict[str, Any]) -> int:
    try:
        return requests.post(url, json=content, timeout=(10.0, 30.0), allow_redirects=False).status_code
    except requests.RequestException:
        return 0
