"""Reading what a message said, from its first words to the last edit, each version with what was read in it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select

from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead, said_at_of
from lead_signals.leads.message_change import EDITED, ORIGINAL, MessageKey, among, message_changes
from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class Version:
    """One text of a message. `status` is the lane its confidence led to; `said_at` is None when the platform did not say."""

    kind: str
    content_text: str
    intent_label: str
    priority: str
    confidence_score: float
    status: str
    rule_pack: str | None
    phones: list[str]
    emails: list[str]
    evidence: list[dict[str, Any]]
    said_at: datetime | None
    received_at: datetime


async def versions_of_leads(
    session: TenantSession, tenant_id: UUID, leads: Collection[Lead], *, most_edits: int, most_characters: int | None = None
) -> dict[UUID, list[Version]]:
    """The versions of each lead, newest last: the first words and the newest `most_edits` edits. One query, and none when none was edited.

    With `most_characters` longer texts come cut to that length.
    """
    edited = {lead.id: (lead.platform, lead.external_message_id or "") for lead in leads if "edited" in lead.meta}
    versions = await _versions(session, tenant_id, frozenset(edited.values()), most_edits, most_characters)
    return {lead.id: versions[edited[lead.id]] if lead.id in edited else [_only_version(lead)] for lead in leads}


async def _versions(
    session: TenantSession, tenant_id: UUID, messages: Collection[MessageKey], most_edits: int, most_characters: int | None
) -> Mapping[MessageKey, list[Version]]:
    if not messages:
        return {}
    columns = message_changes.c
    text = columns.content_text if most_characters is None else func.left(columns.content_text, most_characters)
    # The order of `MessageChange.place`: the collation C sorts UTF-8 by code points, as Python does.
    newest_first = (columns.sequence.desc(), columns.changed_at.desc().nulls_last(), columns.content_text.collate("C").desc())
    numbered = (
        select(
            columns.platform,
            columns.external_message_id,
            columns.kind,
            text.label("content_text"),
            columns.verdict,
            columns.changed_at,
            columns.received_at,
            func.row_number()
            .over(partition_by=(columns.platform, columns.external_message_id, columns.kind), order_by=newest_first)
            .label("from_newest"),
        )
        .where(columns.tenant_id == tenant_id, columns.kind.in_([ORIGINAL, EDITED]), *among(columns, messages))
        .subquery()
    )
    rows = await session.execute(
        select(numbered)
        .where(numbered.c.from_newest <= most_edits)
        .order_by((numbered.c.kind == ORIGINAL).desc(), numbered.c.from_newest.desc())
    )
    found: defaultdict[MessageKey, list[Version]] = defaultdict(list)
    for row in rows.mappings():
        found[row["platform"], row["external_message_id"]].append(_version(row))
    return found


def _version(row: RowMapping) -> Version:
    return _of(row["kind"], row["content_text"], KeptVerdict.of_json(row["verdict"]), row["changed_at"], row["received_at"])


def _only_version(lead: Lead) -> Version:
    return _of(ORIGINAL, lead.content_text, KeptVerdict.of_lead(lead), said_at_of(lead), lead.created_at)


def _of(kind: str, content_text: str, verdict: KeptVerdict, said_at: datetime | None, received_at: datetime) -> Version:
    return Version(
        kind=kind,
        content_text=content_text,
        intent_label=verdict.intent_label,
        priority=verdict.priority,
        confidence_score=verdict.confidence_score,
        status=verdict.status,
        rule_pack=verdict.rule_pack,
        phones=verdict.phones,
        emails=verdict.emails,
        evidence=verdict.evidence,
        said_at=said_at,
        received_at=received_at,
    )
