"""The HTTP entrance: assembles routes, refusals and headers, and holds no logic.

Deliveries, the JSON API, the console, health. One process; run several behind a proxy, they share nothing but PostgreSQL.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
from fastapi import Depends, FastAPI
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Lifespan

from lead_signals import __version__
from lead_signals.connections.app_graph import app_graph, graph_http_client
from lead_signals.connections.channel_routes import channel_routes
from lead_signals.database.availability import why_away
from lead_signals.database.engine import UnsafeDatabaseError, app_engine
from lead_signals.database.migrate import newest_revision
from lead_signals.error_answers import answer_errors
from lead_signals.followups.endpoints.endpoint_routes import endpoint_routes
from lead_signals.followups.oversight.follow_up_routes import follow_up_routes
from lead_signals.followups.oversight.receipt_routes import receipt_routes
from lead_signals.health.health_routes import health_routes
from lead_signals.http_headers import SafeHeaders, safe_headers
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.unknown_channel_routes import unknown_channel_routes
from lead_signals.intake.webhook_routes import webhook_routes
from lead_signals.leads.lead_pages import lead_pages
from lead_signals.leads.lead_routes import lead_routes
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.leads.rule_names import own_names_by
from lead_signals.log_context import get_logger
from lead_signals.page_frame.static_routes import static_routes
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.rule_packs.explain_routes import explain_routes
from lead_signals.settings import Settings
from lead_signals.tenancy.onboarding_routes import onboarding_routes
from lead_signals.tenancy.operator_access import OperatorAccess

log = get_logger(__name__)


def make_app(database_address: str, settings: Settings) -> FastAPI:
    """The application on one database. The engine connects at the first request: the door opens before PostgreSQL is up, with 503."""
    engine = app_engine(database_address, application_name="lead-signals api", production=settings.app_env == "production")
    graph_client = graph_http_client()
    packs = ActivePacks(engine)
    app = FastAPI(
        title="Lead Signals",
        version=__version__,
        docs_url=None,  # the page loads its scripts from a CDN; /openapi.json says the same
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirect would name the host that a stranger sent
        lifespan=_lifespan(engine, graph_client, packs),
    )
    operator = OperatorAccess(settings)
    # First, because routes are tried in their order, and nothing else is asked for a thousand times a second.
    app.include_router(webhook_routes(engine, settings, GroupCommit(engine, follow_up_policy(settings), packs=packs)))
    app.include_router(health_routes(engine, settings, operator, newest_revision(), packs))
    app.include_router(receipt_routes(engine, settings, operator))  # a receiver proves itself by its signature
    for router in (
        onboarding_routes(engine),
        channel_routes(engine, settings, app_graph(settings, graph_client)),
        unknown_channel_routes(engine),
        follow_up_routes(engine, settings),
        endpoint_routes(engine, settings),
        lead_routes(engine),
        explain_routes(engine, packs),
        lead_pages(engine, own_names_by(packs.of)),
    ):
        app.include_router(router, dependencies=[Depends(operator)])
    app.include_router(static_routes())

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(operator)])
    async def openapi() -> Response:
        return Response(orjson.dumps(app.openapi()), media_type="application/json")

    headers = safe_headers(production=settings.app_env == "production")
    answer_errors(app, headers)
    app.add_middleware(SafeHeaders, headers=headers)
    return app


def _lifespan(engine: AsyncEngine, graph_client: httpx.AsyncClient, packs: ActivePacks) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with engine.connect():
                pass
            await packs.loaded()
        except UnsafeDatabaseError:
            raise
        except Exception as error:
            log.warning("starting_without_database", error=why_away(error))
        keeping_fresh = asyncio.create_task(packs.keep_fresh(asyncio.Event()))
        yield
        keeping_fresh.cancel()
        await asyncio.wait({keeping_fresh})
        await graph_client.aclose()
        await engine.dispose()

    return lifespan
