"""What somebody asks for when connecting a channel, read strictly: a typing error must not route a stranger's Page to a tenant."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from lead_signals.connections.watched_fields import ASKED_THROUGH_GRAPH
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.tenancy.onboard_tenant import StorableText

_NUMBER = re.compile(r"[0-9]{1,32}")
_WORD = re.compile(r"[0-9A-Za-z_.:-]{1,128}")
_NUMBERED = frozenset({"facebook", "instagram", "whatsapp", "zalo"})
_TOKEN = re.compile(r"[!-~]{1,4096}")


def _known(platform: str) -> str:
    if platform not in ADAPTERS:
        raise PydanticCustomError("platform", "there is no such platform; we know {known}", {"known": ", ".join(sorted(ADAPTERS))})
    return platform


def _a_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    if not _TOKEN.fullmatch(token):
        raise PydanticCustomError("token", "this is no access token: expected one word of at most 4096 printable ASCII characters")
    return SecretStr(token)


class ChannelWish(BaseModel):
    """A Page or account to connect to a tenant. `external_id` is the platform's own id: it is what deliveries name."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    tenant_id: UUID
    platform: Annotated[str, AfterValidator(_known)] = Field(examples=["facebook"])
    external_id: str = Field(examples=["719333000000001"])
    name: Annotated[StorableText | None, Field(max_length=200)] = Field(None, examples=["Cơ khí Minh Phát"])
    access_token: Annotated[SecretStr, AfterValidator(_a_token)] | None = Field(
        None, description="the Page's token; kept sealed, never shown"
    )

    @model_validator(mode="after")
    def _fits_its_platform(self) -> "ChannelWish":
        if not (_NUMBER if self.platform in _NUMBERED else _WORD).fullmatch(self.external_id):
            raise PydanticCustomError("external_id", "{hint}", {"hint": _id_hint(self.platform)})
        if self.access_token is not None and self.platform not in ASKED_THROUGH_GRAPH:
            raise PydanticCustomError(
                "no_use", "access_token is of no use for {platform}: connect it without one", {"platform": self.platform}
            )
        return self


def _id_hint(platform: str) -> str:
    named = {
        "facebook": "the Page's id",
        "instagram": "the professional account's id",
        "whatsapp": "the phone number's id (phone_number_id), not the number",
        "zalo": "the Official Account's id",
    }
    kind = "digits only" if platform in _NUMBERED else "letters, digits and _ . : - only"
    return f"external_id must be {named.get(platform, 'the account id')}, {kind}"
