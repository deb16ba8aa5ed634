"""What `doctor` tells about follow-ups and their endpoints: what is owed, what came of the last hour, and what needs a hand."""

from collections.abc import Sequence

from lead_signals.followups.endpoints.endpoint_troubles import EndpointTrouble
from lead_signals.followups.oversight.follow_up_numbers import FollowUpNumbers, LastHour
from lead_signals.printable import printable
from lead_signals.settings import Settings

FACT = "  · "
NEEDS_A_HAND = "  ✗ "
ENDPOINTS_TOLD = 20


def follow_up_lines(settings: Settings, seen: FollowUpNumbers) -> list[str]:
    """What is owed and dead, and how the last hour went."""
    counts = ", ".join(f"{count:,} {state}" for state, count in seen.by_state.items() if count) or "none"
    lines = [f"{FACT}follow-ups owed or dead: {counts}"]
    if seen.last_hour.promised or seen.last_hour.died:
        lines.append(f"{FACT}follow-ups of the last hour: {_hour(seen.last_hour)}")
    if (dead := seen.by_state["dead"]) > 0:
        lines.append(
            f"{NEEDS_A_HAND}{_many(dead, 'follow-up is', 'follow-ups are')} dead: lead-signals followups list --state dead tells why;"
            " when the receiver is well again: lead-signals followups redrive --all"
        )
    if settings.webhook_url is None and seen.for_webhook_url:
        waiting = _many(seen.for_webhook_url, "follow-up waits", "follow-ups wait")
        lines.append(f"{NEEDS_A_HAND}{waiting} for WEBHOOK_URL, and it is empty: nobody will receive them")
    if (of_tenants := seen.endpoints_paused - seen.operators_is_paused) > 0:  # WEBHOOK_URL has a line of its own
        paused = _many(of_tenants, "endpoint is", "endpoints are")
        lines.append(f"{FACT}{paused} paused by a person: what is owed there waits; lead-signals followups endpoints resume")
    return lines


def endpoint_lines(troubles: Sequence[EndpointTrouble]) -> list[str]:
    """Endpoints that need a person, each with its sentence. Their names are strangers' words."""
    lines = [_endpoint_line(trouble) for trouble in troubles[:ENDPOINTS_TOLD]]
    if len(troubles) > ENDPOINTS_TOLD:
        more = _many(len(troubles) - ENDPOINTS_TOLD, "more such endpoint", "more such endpoints")
        lines.append(f"{NEEDS_A_HAND}… and {more}: lead-signals followups endpoints list")
    return lines


def _hour(hour: LastHour) -> str:
    told = [f"{hour.promised:,} promised, {hour.delivered:,} delivered"]
    if hour.delivered_p95_seconds is not None:
        told.append(f"19 of 20 within {hour.delivered_p95_seconds:.1f} s")
    if hour.failing:
        told.append(f"{hour.failing:,} failing")
    if hour.died:
        told.append(f"{hour.died:,} died")
    receipts = {"accepted": hour.receipts_accepted, "done": hour.receipts_done, "failed": hour.receipts_failed}
    if any(receipts.values()):
        told.append("receipts: " + ", ".join(f"{count:,} {status}" for status, count in receipts.items() if count))
    return "; ".join(told)


def _endpoint_line(trouble: EndpointTrouble) -> str:
    whose = "" if trouble.tenant_name is None else f" of {printable(trouble.tenant_name)}"
    return f"{NEEDS_A_HAND}endpoint {printable(trouble.name)} ({trouble.kind}){whose}: {printable(trouble.sentence)}"


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
