"""Verifications as the document of ``--json``."""

from __future__ import annotations

from vpngw_iac.errors import worst
from vpngw_iac.report.json_documents import document, dumps
from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.report.verification_document import verification_document


def render(told: ToldVerifications) -> str:
    """One document."""
    documents = [verification_document(one, code) for one, code in zip(told.found, told.codes, strict=True)]
    if len(documents) == 1:
        return dumps(documents[0])
    return dumps(document("fleet", command="verify", deployments=documents, exit_code=int(worst(told.codes))))
