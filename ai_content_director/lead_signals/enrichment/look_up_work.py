"""Look-ups as the worker does them: few at once, for Graph counts our calls, and leads are useful without them."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.due_work import DueWork
from lead_signals.enrichment.look_up import look_up
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.leads.look_up import LOOK_UP_WORK, LookUpState, look_ups
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session

LOOK_UPS_AT_ONCE = 4


def look_up_work(engine: AsyncEngine, graph: GraphClient, settings: Settings, *, lease_seconds: float = 20.0) -> DueWork:
    """The kind of work that look-ups are. One `graph` for all of them: it remembers how gently to call."""
    return DueWork(
        name=LOOK_UP_WORK,
        table=look_ups,
        working_state=LookUpState.LOOKING.value,
        do_one=partial(look_up, engine, graph, settings),
        across_tenants=partial(across_tenants_session, engine),
        concurrency=LOOK_UPS_AT_ONCE,
        lease_seconds=lease_seconds,
        # Asking is harmless to repeat: at the end nobody waits long for Graph.
        drain_seconds=5.0,
    )
