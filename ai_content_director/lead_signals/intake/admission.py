"""An admission: what became of the items of one delivery with one tenant."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Admission:
    """The five counts add up to the items received: a CHECK of `receipts` holds them to it."""

    tenant_id: UUID
    received: int
    lead_ids: Sequence[UUID]
    created: int
    updated: int
    duplicate: int
    ignored: Counter[str]
    quarantined: Counter[str]
