"""Onboarding: a tenant and its brand profile begin together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant import Tenant, brand_profiles, tenants
from lead_signals.tenancy.tenant_session import tenant_session


def _storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("has_nul", "holds the character U+0000, which cannot be stored")
    return text


StorableText = Annotated[str, AfterValidator(_storable)]


class Onboarding(BaseModel):
    """What a new tenant tells about itself. Unknown fields are refused, so that a typo is not lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    tenant_name: StorableText = Field(min_length=1, max_length=200, examples=["Cơ khí Minh Phát"])
    industry: StorableText = Field("", max_length=200, examples=["Gia công cơ khí chính xác"])
    brand_tone: StorableText = Field("", max_length=2000, examples=["Chuyên nghiệp, thân thiện"])
    main_services: list[StorableText] = Field(default_factory=list, max_length=100, examples=[["Gia công CNC", "Khuôn mẫu"]])
    target_customer: StorableText = Field("", max_length=2000, examples=["Xưởng sản xuất ở miền Nam"])
    cta_style: StorableText = Field("", max_length=2000, examples=["Mời để lại số điện thoại"])


@dataclass(frozen=True, slots=True)
class BrandProfile:
    """How a tenant wants to sound, as the API shows it."""

    id: UUID
    tenant_id: UUID
    brand_tone: str
    main_services: list[str]
    target_customer: str
    cta_style: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Onboarded:
    """The answer of `POST /onboarding`."""

    tenant: Tenant
    brand_profile: BrandProfile


async def onboard_tenant(engine: AsyncEngine, onboarding: Onboarding) -> Onboarded:
    """Make the tenant and its brand profile in one transaction, inside the new tenant's own wall."""
    tenant_id, profile_id = new_id(), new_id()
    profile_values = {
        "brand_tone": onboarding.brand_tone,
        "main_services": onboarding.main_services,
        "target_customer": onboarding.target_customer,
        "cta_style": onboarding.cta_style,
    }
    async with tenant_session(engine, tenant_id) as session:
        created_at = (
            await session.execute(
                insert(tenants)
                .values(id=tenant_id, name=onboarding.tenant_name, industry=onboarding.industry)
                .returning(tenants.c.created_at)
            )
        ).scalar_one()
        await session.execute(insert(brand_profiles).values(tenant_id=tenant_id, id=profile_id, **profile_values))
    return Onboarded(
        tenant=Tenant(tenant_id, onboarding.tenant_name, onboarding.industry, created_at),
        brand_profile=BrandProfile(
            profile_id,
            tenant_id,
            onboarding.brand_tone,
            onboarding.main_services,
            onboarding.target_customer,
            onboarding.cta_style,
            created_at,
        ),
    )
