"""Channel checks as the worker takes them."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.connections.channel_check import CHANNEL_CHECK_WORK, CheckState, channel_checks
from lead_signals.connections.check_channel import check_channel
from lead_signals.database.due_work import DueWork
from lead_signals.database.lease import Claim
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session

CHECKS_AT_ONCE = 4  # nobody waits for them: two cores and Graph's budget belong to leads


def channel_check_work(engine: AsyncEngine, graph: GraphClient, settings: Settings, *, lease_seconds: float = 20.0) -> DueWork:
    """The due work of checking channels."""

    async def do_one(claim: Claim) -> None:
        await check_channel(engine, graph, settings, claim, now=clock.now)

    return DueWork(
        name=CHANNEL_CHECK_WORK,
        table=channel_checks,
        working_state=CheckState.CHECKING.value,
        do_one=do_one,
        across_tenants=partial(across_tenants_session, engine),
        concurrency=CHECKS_AT_ONCE,
        lease_seconds=lease_seconds,
    )
