"""The routes of oversight on the test database, without a process around, and follow-ups in any state to look at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import audit_events
from lead_signals.database.new_id import new_id
from lead_signals.error_answers import answer_errors
from lead_signals.followups.delivery_attempt import delivery_attempts
from lead_signals.followups.endpoints.endpoint import follow_up_endpoints
from lead_signals.followups.follow_up import FollowUpState, follow_ups
from lead_signals.followups.oversight.follow_up_routes import follow_up_routes
from lead_signals.followups.oversight.receipt_routes import receipt_routes
from lead_signals.settings import read_settings
from lead_signals.tenancy.operator_access import OperatorAccess
from lead_signals.tenancy.tenant_session import tenant_session
from tests.followups.promised import owe
from tests.intake.open_door import fetch

KEY = {"x-api-key": "khoa-cua-nguoi-van-hanh"}
SECRET = "whsec_bWF5IGtodSB2dW9uIHRoZW0gbW90IGNhaSBjdWE="
FINISHED = {FollowUpState.DELIVERED, FollowUpState.DEAD, FollowUpState.CANCELLED}
IN_PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "FACEBOOK_APP_SECRET": "bi-mat",
    "FACEBOOK_VERIFY_TOKEN": "ma-xac-minh",
    "OPERATOR_API_KEY": KEY["x-api-key"],
}


@asynccontextmanager
async def open_oversight(engine: AsyncEngine, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of these routes as the application assembles them: receipts apart, the rest behind the operator's key."""
    settings = read_settings(environment)
    operator = OperatorAccess(settings)
    app = FastAPI(redirect_slashes=False)
    app.include_router(receipt_routes(engine, settings, operator))
    app.include_router(follow_up_routes(engine, settings), dependencies=[Depends(operator)])
    answer_errors(app, {})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def owed(engine: AsyncEngine, owner_address: str, count: int = 1) -> tuple[UUID, list[UUID]]:
    """A fresh tenant and that many follow-ups owed to WEBHOOK_URL, oldest first."""
    ids = await owe(engine, count)
    (row,) = await fetch(owner_address, "SELECT DISTINCT tenant_id FROM follow_ups WHERE id = ANY($1)", ids)
    return UUID(str(row["tenant_id"])), ids


async def bring_to(engine: AsyncEngine, tenant_id: UUID, follow_up_id: UUID, state: FollowUpState, **values: Any) -> None:
    """Let a follow-up stand in that state, as a worker would have left it."""
    told: dict[str, Any] = {"state": state.value}
    if state in FINISHED:
        told["finished_at"] = func.now()
    if state is FollowUpState.DELIVERING:
        told["lease_until"] = func.now() + timedelta(minutes=5)
    await change(engine, tenant_id, follow_up_id, **told | values)


async def change(engine: AsyncEngine, tenant_id: UUID, follow_up_id: UUID, **values: Any) -> None:
    """Columns of a follow-up, by hand."""
    async with tenant_session(engine, tenant_id) as session:
        where = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
        await session.execute(update(follow_ups).where(*where).values(**values))


async def attempted(engine: AsyncEngine, tenant_id: UUID, follow_up_id: UUID, attempt: int, at: datetime, **values: Any) -> None:
    """One attempt on record; a refused connection unless told otherwise."""
    told = {"outcome": "try_again", "error_class": "ConnectionRefusedError", "duration_ms": 12} | values
    async with tenant_session(engine, tenant_id) as session:
        row = {"tenant_id": tenant_id, "follow_up_id": follow_up_id, "attempt": attempt, "started_at": at}
        await session.execute(insert(delivery_attempts).values(**row, **told))


async def endpoint_of(engine: AsyncEngine, tenant_id: UUID, name: str = "Kênh bán hàng", **values: Any) -> UUID:
    """An endpoint of this tenant (Slack: it has no secret). Its address is no address: nothing is sent here."""
    endpoint_id = new_id()
    told = {"kind": "slack", "name": name, "sealed_address": b"\1", "shown_address": "https://hooks.example/…"} | values
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(insert(follow_up_endpoints).values(tenant_id=tenant_id, id=endpoint_id, **told))
    return endpoint_id


async def row_of(engine: AsyncEngine, tenant_id: UUID, follow_up_id: UUID) -> Row[Any]:
    """The follow-up's row now."""
    async with tenant_session(engine, tenant_id) as session:
        return (await session.execute(select(follow_ups).where(follow_ups.c.id == follow_up_id))).one()


async def audited(engine: AsyncEngine, tenant_id: UUID, event_type: str) -> list[Row[Any]]:
    """What happened of that kind to this tenant, oldest first."""
    async with tenant_session(engine, tenant_id) as session:
        where = (audit_events.c.tenant_id == tenant_id, audit_events.c.event_type == event_type)
        return list((await session.execute(select(audit_events).where(*where).order_by(audit_events.c.id))).all())
