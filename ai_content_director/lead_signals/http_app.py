"""The HTTP entrance: assembles routes, refusals and headers, and holds no logic.

Deliveries, the JSON API, the console, health. One process; run several behind a proxy, they share nothing but PostgreSQL.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Lifespan

from lead_signals import __version__
from lead_signals.database.availability import database_is_away
from lead_signals.database.engine import UnsafeDatabaseError, app_engine, assert_safe
from lead_signals.database.migrate import newest_revision
from lead_signals.health.health_routes import health_routes
from lead_signals.http_headers import SafeHeaders
from lead_signals.intake.webhook_routes import webhook_routes
from lead_signals.leads.lead_pages import lead_pages
from lead_signals.leads.lead_routes import lead_routes
from lead_signals.log_context import get_logger
from lead_signals.page_frame.static_routes import static_routes
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.onboarding_routes import onboarding_routes
from lead_signals.tenancy.operator_access import OperatorAccess

log = get_logger(__name__)

DATABASE_RETRY_SECONDS = 5


def make_app(database_address: str, settings: Settings) -> FastAPI:
    """The application on one database. The engine connects at the first request: the door opens before PostgreSQL is up, with 503."""
    engine = app_engine(database_address, application_name="lead-signals api")
    app = FastAPI(
        title="Lead Signals",
        version=__version__,
        docs_url=None,  # the page loads its scripts from a CDN; /openapi.json says the same
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(engine),
    )
    operator = OperatorAccess(settings)
    app.include_router(health_routes(engine, operator, newest_revision()))
    app.include_router(webhook_routes(engine, settings))
    for router in (onboarding_routes(engine), lead_routes(engine), lead_pages(engine)):
        app.include_router(router, dependencies=[Depends(operator)])
    app.include_router(static_routes())

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(operator)])
    async def openapi() -> Response:
        return Response(orjson.dumps(app.openapi()), media_type="application/json")

    app.add_exception_handler(RefusedRequest, _refused)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    for error in (SQLAlchemyError, OSError, TimeoutError):
        app.add_exception_handler(error, _database_away)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(SafeHeaders, production=settings.app_env == "production")
    return app


def _lifespan(engine: AsyncEngine) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with engine.connect() as connection:
                await assert_safe(connection)
        except UnsafeDatabaseError:
            raise
        except Exception as error:
            log.warning("starting_without_database", error=error.__class__.__name__)
        yield
        await engine.dispose()

    return lifespan


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedRequest)  # noqa: S101 - registered for this class only
    headers = {"WWW-Authenticate": 'Basic realm="Lead Signals", charset="UTF-8"'} if error.reason == "no_key" else {}
    return _say(error.status, error.sentence, headers)


async def _bad_parameter(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # What was sent is not repeated: it may be hostile, and a NaN cannot even be written as JSON.
    problems = [{"parameter": str(problem["loc"][-1]), "problem": problem["msg"]} for problem in error.errors()]
    sentence = " ".join(f"{problem['parameter']}: {problem['problem']}." for problem in problems)
    return _say(422, sentence, {}, problems)


async def _database_away(request: Request, error: Exception) -> Response:
    if not database_is_away(error):
        return await _unexpected(request, error)
    log.warning("database_away", path=request.scope["path"], error=error.__class__.__name__)
    return _say(
        503, "The database cannot be reached right now; nothing was stored. Try again.", {"Retry-After": str(DATABASE_RETRY_SECONDS)}
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected_error", path=request.scope["path"], error=error.__class__.__name__, exc_info=error)
    return _say(500, "Something went wrong on our side; it is in the log.", {})


def _say(status: int, sentence: str, headers: dict[str, str], problems: list[dict[str, str]] | None = None) -> Response:
    body = {"ok": False, "error": sentence} | ({} if problems is None else {"problems": problems})
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers=headers)
