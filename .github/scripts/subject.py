"""Tells the subject of a job's ID token, which a federated credential in Entra ID must name letter for letter.

Of the token itself nothing is printed. Without the permission ``id-token: write`` there is none, and nothing is told.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request

AUDIENCE = "api://AzureADTokenExchange"


def subject(url: str, bearer: str) -> str:
    """The claim ``sub`` of a new token; raises `OSError` or `ValueError` if GitHub gives none."""
    request = urllib.request.Request(  # noqa: S310 - the runner's own address
        f"{url}&audience={AUDIENCE}", headers={"Authorization": f"Bearer {bearer}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        token = str(json.load(answer)["value"])
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return "".join(character for character in str(claims["sub"]) if character.isprintable())


def main() -> None:
    """Print one line; a job goes on without it."""
    url, bearer = (os.environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}", "") for name in ("URL", "TOKEN"))
    if not url or not bearer:
        return
    try:
        print(f"Subject of this job's token: {subject(url, bearer)}")  # noqa: T201
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"::warning::GitHub gave no ID token ({type(error).__name__}).")  # noqa: T201
    sys.stdout.flush()


if __name__ == "__main__":
    main()
