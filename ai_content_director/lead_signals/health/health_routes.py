"""`/health`: the process answers. `/ready`: work can flow. `/metrics`: numbers for Prometheus."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import APIRouter, Depends
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.health.follow_up_gauges import follow_up_gauges
from lead_signals.health.readiness import Check, Readiness, readiness, rule_packs_check
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.settings import Settings
from lead_signals.tenancy.operator_access import OperatorAccess

UNREADY_RETRY_SECONDS = 5


def health_routes(engine: AsyncEngine, settings: Settings, operator: OperatorAccess, newest_revision: str, packs: ActivePacks) -> APIRouter:
    """`GET /health`, `/ready`, `/metrics`. The first two are for machines nearby and tell no tenant's data. Of the settings only
    WEBHOOK_URL is asked for: whether it is paused."""
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="The process answers")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready", summary="Database, migrations, worker, channels, follow-ups, rules")
    async def ready() -> Response:
        seen = await readiness(engine, settings, newest_revision=newest_revision, thorough=False)
        # A missing worker is told, not punished: taking the door out of service would lose deliveries to keep follow-ups waiting.
        unready = seen.status == "unready"
        headers = {"Retry-After": str(UNREADY_RETRY_SECONDS)} if unready else {}
        return Response(
            orjson.dumps(_told(seen, rule_packs_check(packs))),
            status_code=503 if unready else 200,
            media_type="application/json",
            headers=headers,
        )

    @router.get("/metrics", summary="Prometheus", dependencies=[Depends(operator)])
    async def metrics() -> Response:
        seen = await readiness(engine, settings, newest_revision=newest_revision, thorough=True)
        lines = generate_latest(REGISTRY) + b"".join(_gauges(seen, rule_packs_check(packs)))
        return Response(lines, media_type=CONTENT_TYPE_LATEST)

    return router


def _told(seen: Readiness, rule_packs: Check) -> dict[str, Any]:
    return {
        "status": seen.status,
        "database": asdict(seen.database),
        "migrations": asdict(seen.migrations),
        "worker": asdict(seen.worker),
        "channels": asdict(seen.channels),
        "follow_ups": asdict(seen.endpoints),
        "rule_packs": asdict(rule_packs),
    }


class _Once:
    """A registry of one reading: these numbers are the database's, the same from every process that is asked."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self.collect: Callable[[], list[GaugeMetricFamily]] = lambda: families


def _gauges(seen: Readiness, rule_packs: Check) -> list[bytes]:
    ready = GaugeMetricFamily("lead_signals_ready", "1 when the part is well", labels=["part"])
    checks = {
        "database": seen.database,
        "migrations": seen.migrations,
        "worker": seen.worker,
        "channels": seen.channels,
        "follow_ups": seen.endpoints,
        "rule_packs": rule_packs,
    }
    for part, check in checks.items():
        ready.add_metric([part], float(check.ok))
    families = [ready]
    if seen.follow_ups is not None:
        families += follow_up_gauges(seen.follow_ups, seen.endpoint_health)
        unknown = GaugeMetricFamily("lead_signals_unknown_channels", "Pages that write to us although nobody connected them")
        unknown.add_metric([], len(seen.unknown_channels))
        troubled = GaugeMetricFamily("lead_signals_channels", "Channels that need a look, by what is the matter", labels=["trouble"])
        troubled.add_metric(["quiet"], len(seen.channel_troubles.quiet))
        troubled.add_metric(["needs_a_hand"], len(seen.channel_troubles.needing_a_hand))
        waiting = GaugeMetricFamily("lead_signals_look_ups", "Look-ups that wait, by kind and last failure", labels=["kind", "because"])
        for wait in seen.waiting_look_ups:
            waiting.add_metric([wait.kind.value, wait.last_failure or ""], wait.count)
        families += [unknown, troubled, waiting]
    return [generate_latest(_Once(families))]
