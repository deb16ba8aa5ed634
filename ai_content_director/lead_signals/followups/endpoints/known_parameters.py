"""Query parameters that a route knows: a slip such as `tennant_id` must not widen what is shown, sent again or called off."""

from fastapi import Request
from fastapi.routing import APIRoute

from lead_signals.request_body import RefusedRequest

NAMES_TOLD = 5
LONGEST_NAME_TOLD = 60


def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of routes. Raises RefusedRequest (422) that names what is unknown, and what there is."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        raise TypeError("refuse_unknown_parameters is a dependency of API routes")
    known = [parameter.alias for parameter in route.dependant.query_params]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        told = " ".join(f"{name[:LONGEST_NAME_TOLD]}: this address knows no such parameter." for name in unknown[:NAMES_TOLD])
        raise RefusedRequest(422, "unknown_parameter", f"{told} It knows {', '.join(known) or 'none'}.")
