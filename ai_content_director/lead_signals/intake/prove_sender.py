"""Who sends this delivery? The platform, by its signature; a program of a tenant, by its key; or nobody says, which only `local` takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.signature_verdict import SignatureVerdict
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.api_key import tenant_of_api_key
from lead_signals.tenancy.operator_access import shown_keys


@dataclass(frozen=True, slots=True)
class Sender:
    """`signed`: the platform proved it. `tenant_id`: a key of this tenant proved it, and the delivery can be for no other."""

    signed: bool
    tenant_id: UUID | None = None


async def admit_sender(
    request: Request, adapter: Adapter, engine: AsyncEngine, settings: Settings, key_look_ups: asyncio.Semaphore
) -> Sender | None:
    """Who sends, as far as the headers alone tell; None when a signature is there that only the body can prove.

    `key_look_ups` bounds how many look for a key at once: who invents a thousand must not take every connection to the database.
    Raises RefusedRequest (401) before a byte of the body is taken in: no signature and no key where one is needed, or a wrong key.
    """
    secrets = settings.webhook_secrets(adapter.platform)
    if adapter.verify(request.scope["headers"], b"", secrets, clock.now()) is not SignatureVerdict.MISSING and secrets:
        return None
    keys = shown_keys(request)
    tenant_id = None
    if keys:
        async with key_look_ups:
            tenant_id = await tenant_of_api_key(engine, keys)
    if tenant_id is not None:
        return Sender(signed=False, tenant_id=tenant_id)
    closed = settings.app_env == "production"
    if keys and (secrets or closed):
        raise RefusedRequest(401, "bad_key", "This API key is unknown or was revoked; make a new one with lead-signals keys make.")
    if "authorization" in request.headers and (secrets or closed):
        raise RefusedRequest(401, "bad_key", "No API key can be read from Authorization; send it as 'Authorization: Bearer <key>'.")
    if secrets:
        raise _unproven(adapter, SignatureVerdict.MISSING)
    if closed:
        raise RefusedRequest(
            401, "closed", f"No secret for {adapter.platform} is configured: send the tenant's API key as 'Authorization: Bearer <key>'."
        )
    return Sender(signed=False)


def prove_signature(request: Request, raw_body: bytes, adapter: Adapter, secrets: Sequence[bytes]) -> Sender:
    """The platform, proven by its signature over these bytes. Raises RefusedRequest (401)."""
    verdict = adapter.verify(request.scope["headers"], raw_body, secrets, clock.now())
    if verdict is not SignatureVerdict.VALID:
        raise _unproven(adapter, verdict)
    return Sender(signed=True)


def _unproven(adapter: Adapter, verdict: SignatureVerdict) -> RefusedRequest:
    said = {
        SignatureVerdict.MISSING: "missing",
        SignatureVerdict.MALFORMED: f"not of the form {adapter.signature_form}",
        SignatureVerdict.MISMATCH: "not made with this app's secret over this body",
        SignatureVerdict.STALE: "of a time too far from this server's clock",
    }
    return RefusedRequest(401, f"signature_{verdict.value}", f"The signature in {adapter.signature_header} is {said[verdict]}.")
