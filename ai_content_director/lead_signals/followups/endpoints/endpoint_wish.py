"""What somebody asks for when adding an endpoint or rotating its secret, read strictly; no refusal quotes a value."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from lead_signals.followups.endpoints.endpoint import EndpointKind
from lead_signals.followups.endpoints.free_name import looks_like_another
from lead_signals.followups.endpoints.webhook_secret import is_secret
from lead_signals.signing_secret import FEWEST_BYTES, MOST_BYTES
from lead_signals.tenancy.onboard_tenant import StorableText

LONGEST_ADDRESS = 2048
KEEP_OLD_HOURS = 24
KEEP_OLD_HOURS_MOST = 168


def _signs(value: SecretStr) -> SecretStr:
    secret = SecretStr(value.get_secret_value().strip())
    if not is_secret(secret.get_secret_value()):
        raise PydanticCustomError(
            "secret",
            "expected whsec_ and base64 of {fewest} to {most} bytes; leave it out, and one is made",
            {"fewest": FEWEST_BYTES, "most": MOST_BYTES},
        )
    return secret


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("one_line", "holds a sign that cannot be printed; write it on one line")
    return text


def _its_own(name: str) -> str:
    if looks_like_another(name):
        raise PydanticCustomError("another", "would be taken for WEBHOOK_URL or for an id; choose a name that says whose endpoint this is")
    return name


WebhookSecret = Annotated[SecretStr, AfterValidator(_signs)]


class EndpointWish(BaseModel):
    """Where a tenant wants its follow-ups. Whether the address may be called is judged when it is added."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    tenant_id: UUID
    kind: EndpointKind = Field(examples=["webhook"])
    name: Annotated[StorableText, Field(min_length=1, max_length=100), AfterValidator(_one_line), AfterValidator(_its_own)] = Field(
        examples=["n8n của phòng bán hàng"]
    )
    address: Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_ADDRESS)] = Field(
        description="https://… of a webhook or a Slack-compatible channel, or 1 to 5 e-mail addresses separated by commas; kept sealed",
        examples=["https://n8n.example.vn/webhook/lead"],
    )
    secret: WebhookSecret | None = Field(None, description="webhook only: whsec_…; made here when left out, and told once")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "EndpointWish":
        if self.secret is not None and self.kind is not EndpointKind.WEBHOOK:
            raise PydanticCustomError("no_use", "secret is of no use for {kind}: only webhooks are signed", {"kind": self.kind.value})
        return self


class RotationWish(BaseModel):
    """A new secret, and for how many hours the one of before signs beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: WebhookSecret | None = Field(None, description="whsec_…; made here when left out, and told once")
    keep_old_hours: int = Field(KEEP_OLD_HOURS, ge=0, le=KEEP_OLD_HOURS_MOST, strict=True)
