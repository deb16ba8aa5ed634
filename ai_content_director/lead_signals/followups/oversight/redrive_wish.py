"""Which follow-ups to send again, read strictly: an empty filter is a mistake, and nobody means everybody by accident."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MANY_DEFAULT = 10_000
MANY_MOST = 100_000


class RedriveWish(BaseModel):
    """One tenant's (`tenant_id`) or everybody's (`all`: true). `died_after` and `died_before` are of the dead only, with a time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tenant_id: UUID | None = None
    all: bool = False
    endpoint_id: UUID | None = None
    state: Literal["dead", "retrying"] = "dead"
    died_after: AwareDatetime | None = None
    died_before: AwareDatetime | None = None
    limit: int = Field(MANY_DEFAULT, ge=1, le=MANY_MOST)
    dry_run: bool = False

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if self.tenant_id is None and not self.all:
            raise PydanticCustomError("whose", 'say whose: tenant_id, or "all": true for every tenant')
        if self.tenant_id is not None and self.all:
            raise PydanticCustomError("whose", 'tenant_id and "all": true exclude each other; keep one')
        if self.state != "dead" and (self.died_after is not None or self.died_before is not None):
            raise PydanticCustomError("died", "died_after and died_before are of dead follow-ups only; leave them out")
        return self

    def told(self) -> dict[str, Any]:
        """The filter as an audit event keeps it."""
        moments: dict[str, datetime | None] = {"died_after": self.died_after, "died_before": self.died_before}
        return {
            "state": self.state,
            "endpoint_id": None if self.endpoint_id is None else str(self.endpoint_id),
            **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        }
