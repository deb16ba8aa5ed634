"""What the address of the lead page says, read with distrust and written again for links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.page_frame.language import Language

LEADS_PER_PAGE: Final = 50
_PAGE_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}")


class BadParameter(ValueError):
    """A parameter that cannot be read; `parameter` is its name. What was sent is not repeated."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class LeadPageAddress:
    """Whose leads, in which status, which page of them (from 1), and the one to show first."""

    tenant_id: UUID | None = None
    status: LeadStatus | None = None
    page: int = 1
    lead_id: UUID | None = None

    @property
    def offset(self) -> int:
        """How many leads stand before this page."""
        return (self.page - 1) * LEADS_PER_PAGE

    def of_tenant(self, tenant_id: UUID) -> "LeadPageAddress":
        """The same page of this tenant."""
        return replace(self, tenant_id=tenant_id)

    def in_status(self, status: LeadStatus | None) -> str:
        """The first page of one status, or of all."""
        return replace(self, status=status, page=1, lead_id=None).written()

    def at_page(self, page: int) -> str:
        """Another page under the same filter."""
        return replace(self, page=page, lead_id=None).written()

    def written(self, language: Language | None = None) -> str:
        """The address, `/?…`; with a language it also chooses that language for the future."""
        said = {
            "tenant_id": self.tenant_id,
            "status": None if self.status is None else self.status.value,
            "page": self.page if self.page > 1 else None,
            "lead": self.lead_id,
            "lang": None if language is None else language.value,
        }
        query = urlencode({name: value for name, value in said.items() if value is not None})
        return f"/?{query}" if query else "/"


def read_address(query: Mapping[str, str]) -> LeadPageAddress:
    """The address of a request; an empty parameter counts as absent. Raises BadParameter for the first one that cannot be read."""
    return LeadPageAddress(
        tenant_id=_id(query, "tenant_id"),
        status=_status(query.get("status", "")),
        page=_page(query.get("page", "")),
        lead_id=_id(query, "lead"),
    )


def _id(query: Mapping[str, str], parameter: str) -> UUID | None:
    text = query.get(parameter, "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise BadParameter(parameter) from None


def _status(text: str) -> LeadStatus | None:
    if not text:
        return None
    try:
        return LeadStatus(text)
    except ValueError:
        raise BadParameter("status") from None


def _page(text: str) -> int:
    if not text:
        return 1
    if not _PAGE_NUMBER.fullmatch(text):
        raise BadParameter("page")
    return int(text)
