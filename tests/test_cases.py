"""Each file below ``cases/`` is a test: three documents of one resource, and what comparing them must say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from vpngw_iac.engine.compare.difference import compare
from vpngw_iac.engine.compare.document import MaskedSecret, transform
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.resources import type_of
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.secret import FingerprintKey, Secret

ROOT = Path(__file__).parent / "cases"
CASES = sorted(path for folder in ("plan", "drift") for path in (ROOT / folder).rglob("*.yaml"))
KEY, LOST = FingerprintKey(b"k" * 32), FingerprintKey(b"x" * 32)


def opened(value: Any) -> Any:
    """A document as YAML writes it, with ``$secret``, ``$generated`` and ``$echo`` leaves made real."""
    if isinstance(value, dict):
        if "$echo" in value:
            return KEY.fingerprint(value["$echo"])
        if "$secret" in value or "$generated" in value:
            key = LOST if value.get("lost") else KEY
            known = key.fingerprint(value["value"]) if value["value"] is not None else None
            named = "$secret" in value
            return MaskedSecret(
                Secret.env(value["$secret"]) if named else Secret.generated("kv", value["$generated"]), known
            )
        return {name: opened(item) for name, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


def echoed(sent: Any) -> Any:
    """What was sent as an answer that echoes secrets."""
    return transform(sent, lambda _, value: value.fingerprint if isinstance(value, MaskedSecret) else value)


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(ROOT).with_suffix("")))
def test_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    model = type_of(case["type"])
    assert model is not None
    shape = shape_of(model)
    documents = [opened(case[name]) for name in ("declared", "applied", "observed")]

    more = {"unread": case.get("unread", ()), "adopting": case.get("adopting", False)}
    told = compare(shape, *documents, **more)
    sent = overlay(shape, *documents, held=told.held)

    expected = {"stale": False, "unread": [], "unverified": [], "held": []} | case["expect"]
    actual = {
        "found": [[f.difference.path, f.difference.cause, f.verdict.how] for f in told.found],
        "stale": told.stale if "stale" in case["expect"] else False,
        "unread": list(told.unread),
        "unverified": list(told.unverified),
        "held": list(told.held),
    }
    assert expected == actual, case["reason"]
    if "sent" in case:
        assert opened(case["sent"]) == sent, case["reason"]
    if not told.held and "$generated" not in path.read_text(encoding="utf-8"):
        assert compare(shape, documents[0], documents[1], echoed(sent), **more).found == ()


def test_every_case_says_why_it_exists_and_no_reason_is_used_twice() -> None:
    reasons = [yaml.safe_load(path.read_text(encoding="utf-8"))["reason"] for path in CASES]

    assert all(len(reason) > 12 for reason in reasons)
    assert len(set(reasons)) == len(reasons)
    assert len(CASES) > 60
