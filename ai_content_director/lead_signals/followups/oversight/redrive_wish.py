"""Which follow-ups to send again, read strictly: an empty filter is a mistake, and nobody means everybody by accident."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

MANY_DEFAULT = 10_000
MANY_MOST = 100_000
MINUTES_MOST = 10_000_000


def _written(moment: object) -> object:
    if moment is None or isinstance(moment, datetime) or (isinstance(moment, str) and moment[4:5] == "-"):
        return moment
    raise PydanticCustomError("moment", "expected a moment with its time zone, like 2026-11-20T08:00:00+07:00")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "expected a moment between the years 1 and 9999 in UTC") from None


_Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]


class RedriveWish(BaseModel):
    """One tenant's (`tenant_id`) or everybody's (`all`: true). `died_after` and `died_before` are of the dead only, with a time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tenant_id: UUID | None = None
    all: StrictBool = False
    endpoint_id: UUID | None = None
    lead_id: UUID | None = None
    state: Literal["dead", "retrying"] = "dead"
    died_after: _Moment | None = None
    died_before: _Moment | None = None
    older_than_minutes: int | None = Field(None, ge=0, le=MINUTES_MOST, strict=True, description="promised at least that long ago")
    limit: int = Field(MANY_DEFAULT, ge=1, le=MANY_MOST, strict=True)
    dry_run: StrictBool = False

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
            "lead_id": None if self.lead_id is None else str(self.lead_id),
            "older_than_minutes": self.older_than_minutes,
            **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        }
