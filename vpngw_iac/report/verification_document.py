"""The JSON document of a verification."""

from __future__ import annotations

from dataclasses import asdict

from vpngw_iac.report.json_documents import Document, document
from vpngw_iac.verify.verdict import WORDS, PathVerdict, SubjectVerdict, Verification


def verification_document(found: Verification, code: int) -> Document:
    """Everything that was found; `code` is what the command ends with."""
    up, every, never, silent = found.tunnels
    return document(
        "verify",
        deployment=found.deployment,
        verified=code == 0,
        exit_code=code,
        summary={word.replace(" ", "_"): found.count(word) for word in WORDS},
        tunnels={"up": up, "all": every, "never_up": never, "unknown": silent},
        subjects=[_subject(one) for one in found.subjects],
        notices=list(found.notices),
    )


def _subject(one: SubjectVerdict) -> Document:
    return {
        "name": one.name,
        "kind": one.kind,
        "verdict": one.word,
        "live": one.live,
        "reason": one.reason,
        "remarks": list(one.notes),
        "paths": [_path(path) for path in one.paths],
    }


def _path(path: PathVerdict) -> Document:
    return {
        "address": path.address,
        "id": str(path.connection),
        "verdict": path.word,
        "reason": path.reason,
        "tunnels": [asdict(tunnel) for tunnel in path.tunnels],
        "sessions": [asdict(session) for session in path.sessions],
        "associations": [asdict(association) for association in path.associations],
        "incoming": path.incoming,
        "outgoing": path.outgoing,
        "remarks": list(path.notes),
    }
