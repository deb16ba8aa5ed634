"""The endpoint a request names, or a sentence why it cannot be that one."""

from uuid import UUID

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.request_body import RefusedRequest


def no_such_endpoint(tenant_id: UUID, endpoint_id: UUID) -> RefusedRequest:
    """The tenant has none of this id, or had it and it was removed; another tenant's is told the same way."""
    return RefusedRequest(404, "unknown_endpoint", f"The tenant {tenant_id} has no endpoint {endpoint_id}.")


def no_operators_endpoint() -> RefusedRequest:
    """Nothing is configured that could be shown or paused."""
    return RefusedRequest(404, "unknown_endpoint", "WEBHOOK_URL is not set: there is no endpoint of the operator.")


def refuse_operators(endpoint_id: UUID, instead: str) -> None:
    """Raise RefusedRequest (409) for WEBHOOK_URL, with what to do instead."""
    if endpoint_id == OPERATORS_ENDPOINT:
        raise RefusedRequest(409, "operators_endpoint", f"This is WEBHOOK_URL, set in the environment; {instead}.")


def needs_its_tenant(endpoint_id: UUID, tenant_id: UUID | None) -> UUID:
    """The tenant whose endpoint is meant. Raises RefusedRequest (422) when it was not told."""
    if tenant_id is None:
        raise RefusedRequest(422, "no_tenant", f"tenant_id: say whose endpoint {endpoint_id} is, with ?tenant_id=… or --tenant.")
    return tenant_id
