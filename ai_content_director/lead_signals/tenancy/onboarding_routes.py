"""`POST /onboarding`: a tenant begins."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.json_body import MalformedBody, parse_json_body
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.tenancy.onboard_tenant import Onboarded, Onboarding, onboard_tenant

PROBLEMS_TOLD = 10
LONGEST_NAME_TOLD = 100

# The body is read by hand, as everywhere: a typed body parameter answers 500 to inputs such as NaN. The schema is still told.
_OPENAPI: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": {"schema": Onboarding.model_json_schema()}}}}


def onboarding_routes(engine: AsyncEngine) -> APIRouter:
    """`POST /onboarding`."""
    router = APIRouter(tags=["onboarding"])

    @router.post("/onboarding", status_code=201, summary="Onboard a tenant with its brand profile", openapi_extra=_OPENAPI)
    async def onboard(request: Request) -> Onboarded:
        return await onboard_tenant(engine, _read(await read_raw_body(request)))

    return router


def _read(raw_body: bytes) -> Onboarding:
    try:
        return Onboarding.model_validate(parse_json_body(raw_body))
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None
    except ValidationError as invalid:
        told = invalid.errors(include_input=False)[:PROBLEMS_TOLD]
        raise RefusedRequest(422, "bad_field", " ".join(_sentence(error) for error in told)) from None


def _sentence(error: Any) -> str:
    # The name of an unknown field is the sender's own word, and may be as long as the body.
    return f"{'.'.join(str(part) for part in error['loc'])[:LONGEST_NAME_TOLD]}: {error['msg']}."
