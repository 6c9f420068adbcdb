"""The JSON document of a diagnosis."""

from __future__ import annotations

from datetime import datetime

from vpngw_iac.report.json_documents import Document, document
from vpngw_iac.verify.diagnosis import Diagnosis, DiagnosisReport, PeerSheet


def diagnosis_document(found: DiagnosisReport) -> Document:
    """Everything that was found."""
    return document(
        "diagnose",
        deployment=found.deployment,
        links=[_link(item) for item in found.items],
        up=list(found.up),
        notices=list(found.notices),
    )


def peer_document(found: DiagnosisReport) -> Document:
    """What can be handed to the other company: no name of ours."""
    return document("handover", tunnels=[_sheet(sheet) for sheet in found.sheets])


def _link(item: Diagnosis) -> Document:
    return {
        "name": item.name,
        "address": item.address,
        "status": item.status,
        "causes": [{"cause": str(c), "title": title} for c, title in zip(item.causes, item.titles, strict=True)],
        "sure": item.sure,
        "why_not_narrower": item.why,
        "known_from": list(item.pages),
        "check": {"end": item.check.end, "text": item.check.text} if item.check else None,
        "evidence": [{"source": e.source, "text": e.text, "at": _time(e.at)} for e in item.evidence],
        "steps": [{"name": s.name, "outcome": s.outcome, "text": s.text} for s in item.steps],
        "not_known": [{"text": gap.text, "advice": gap.advice} for gap in item.gaps],
        "remarks": list(item.notes),
    }


def _sheet(sheet: PeerSheet) -> Document:
    return {
        "device": sheet.device,
        "status": sheet.status,
        "parameters": [{"name": p.name, "azure": p.azure, "device": p.device} for p in sheet.parameters],
        "causes": list(sheet.causes),
        "check": sheet.check.text if sheet.check else "",
        "evidence": list(sheet.evidence),
    }


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""
