"""Ask Graph what a token is worth for a channel: alive, of that Page, with the needed permissions, and subscribed to what we read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from lead_signals.connections.watched_fields import (
    ANY_PAGE_FIELD,
    FACEBOOK,
    INSTAGRAM,
    NEEDED_PERMISSIONS,
    SUBSCRIBES,
    USEFUL_PERMISSIONS,
    page_fields,
)
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.token_check import TokenCheck
from lead_signals.log_context import get_logger
from lead_signals.tenancy.channel import TokenState

log = get_logger(__name__)

EXPIRY_WARNING = timedelta(days=7)

_STATE_AFTER = {
    FailureKind.RECONNECT: TokenState.RECONNECT,
    FailureKind.PERMISSION: TokenState.PERMISSION,
    FailureKind.BLOCKED: TokenState.BLOCKED,
}


@dataclass(frozen=True, slots=True)
class TokenLook:
    """What was found. UNCHECKED means that Graph could not tell: nothing is known that was not known before.

    `sentence` says what needs a person, or what is worth knowing; None when all is well. `subscribed_fields` is None when it is not known.
    `retry_after_seconds` is Graph's own wish. `failure` is Graph's answer when that was none.
    """

    state: TokenState
    sentence: str | None = None
    page_name: str | None = None
    expires_at: datetime | None = None
    subscribed_fields: tuple[str, ...] | None = None
    retry_after_seconds: float | None = None
    failure: GraphFailure | None = None


async def look_at_token(
    graph: GraphClient, platform: str, external_id: str, token: SecretStr, *, app_id: str | None, now: datetime
) -> TokenLook:
    """Up to four calls, none once Graph fails. Subscribes where a field is missing. Never raises for what Graph did."""
    told = await graph.check_token(token.get_secret_value())
    if isinstance(told, GraphFailure) and told.kind not in (FailureKind.NOT_CONFIGURED, FailureKind.REFUSED):
        return _failed(told)
    check = told if isinstance(told, TokenCheck) else None
    if check is not None and (dead := _dead(check, app_id)) is not None:
        return dead
    page = await graph.fetch_page(token.get_secret_value())
    if isinstance(page, GraphFailure):
        return _failed(page)
    if platform == FACEBOOK and page.page_id != external_id:
        # `/me` of a person's own token is the person; Graph does not say which of the two it told.
        sentence = f"This token belongs to a person or another Page, not to the Page {external_id}; take the Page access token."
        return TokenLook(TokenState.RECONNECT, sentence)
    granted = None if check is None or not check.scopes else check.scopes
    subscription = await _subscription(graph, platform, page.page_id, token.get_secret_value(), granted)
    if isinstance(subscription, GraphFailure) and subscription.kind is not FailureKind.NOT_CONFIGURED:
        return _failed(subscription)
    lacking = [needed for needed in NEEDED_PERMISSIONS[platform] if granted is not None and needed not in granted]
    expires_at = None if check is None else _end(check)
    remarks = [*_unknown_end(told), *_lost(platform, lacking, granted), *_ends_soon(expires_at, now)]
    return TokenLook(
        TokenState.PERMISSION if lacking else TokenState.OK,
        " ".join(remarks) or None,
        page_name=page.name if platform == FACEBOOK else None,
        expires_at=expires_at,
        subscribed_fields=subscription if isinstance(subscription, tuple) else None,
    )


def _failed(failure: GraphFailure) -> TokenLook:
    state = _STATE_AFTER.get(failure.kind, TokenState.UNCHECKED)
    return TokenLook(state, failure.sentence, retry_after_seconds=failure.retry_after_seconds, failure=failure)


def _dead(check: TokenCheck, app_id: str | None) -> TokenLook | None:
    if not check.is_valid:
        return _failed(GraphFailure(FailureKind.RECONNECT, subcode=check.dead_because))
    if app_id is not None and check.app_id is not None and check.app_id != app_id:
        sentence = f"This token was made for the app {check.app_id}, not for ours ({app_id}); connect the Page with a token of our app."
        return TokenLook(TokenState.RECONNECT, sentence)
    return None


def _end(check: TokenCheck) -> datetime | None:
    """When it stops being of use: Meta ends a token, or the access to data by it, whichever comes first."""
    return min((end for end in (check.expires_at, check.data_access_expires_at) if end is not None), default=None)


async def _subscription(
    graph: GraphClient, platform: str, page_id: str, token: str, granted: Sequence[str] | None
) -> tuple[str, ...] | GraphFailure | None:
    """The Page's subscription, after what was missing has been added to it; None when the token may not ask.

    What our app is subscribed to besides stays.
    """
    if granted is not None and SUBSCRIBES not in granted:
        return None
    have = await graph.subscribed_fields(page_id, token)
    if isinstance(have, GraphFailure) and (have.kind is not FailureKind.NOT_CONFIGURED or platform == INSTAGRAM):
        return have
    known = () if isinstance(have, GraphFailure) else have
    wanted = page_fields(granted) if platform == FACEBOOK else () if known else (ANY_PAGE_FIELD,)
    missing = [field for field in wanted if field not in known]
    if not missing:
        return known
    fields = (*known, *missing)
    failure = await graph.subscribe(page_id, token, fields)
    if failure is not None:
        return failure
    log.info("channel_subscribed", platform=platform, page_id=page_id, fields_added=len(missing))
    return fields


def _unknown_end(told: TokenCheck | GraphFailure) -> list[str]:
    if isinstance(told, TokenCheck):
        return []
    why = "set FACEBOOK_APP_ID and FACEBOOK_APP_SECRET." if told.kind is FailureKind.NOT_CONFIGURED else told.sentence
    return [f"Until when the token works is not known: {why}"]


def _lost(platform: str, lacking: Sequence[str], granted: Sequence[str] | None) -> list[str]:
    useful = {} if granted is None else USEFUL_PERMISSIONS[platform]
    lost = [f"Without {permission} {loss}." for permission, loss in useful.items() if permission not in (granted or ())]
    if lacking:
        lost.insert(0, f"The token lacks {', '.join(lacking)}; connect the channel again and grant all permissions asked for.")
    return lost


def _ends_soon(expires_at: datetime | None, now: datetime) -> list[str]:
    if expires_at is None or expires_at - now > EXPIRY_WARNING:
        return []
    return [f"The token works until {expires_at:%Y-%m-%d %H:%M} UTC only; connect the channel again before that."]
