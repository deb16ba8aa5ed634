"""A Slack-compatible incoming webhook (Slack, Mattermost, Rocket.Chat): the lead as a message that people read.

At least once: such a webhook cannot tell a repeat, so when an answer is lost on its way the same message stands in the channel twice.
"""

from datetime import datetime
from typing import Final

import orjson
from yarl import URL

from lead_signals.followups.destinations.http_post import USER_AGENT, Answer, NoAnswer, http_post
from lead_signals.followups.destinations.lead_in_words import LeadInWords, lead_in_words
from lead_signals.followups.destinations.short_lived_session import ShortLivedSession
from lead_signals.followups.outcome import Outcome, OutcomeKind

UNREADABLE_BODY: Final = "UnreadableBody"
_HEADERS: Final = {"content-type": "application/json", "user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}
_GONE: Final = frozenset({404, 410})
# Slack's own words for a hook that will never work again, whatever the status beside them.
_GONE_WORDS: Final = frozenset({b"no_service", b"no_service_id", b"no_active_hooks", b"no_team", b"team_disabled", b"channel_is_archived"})


class Slack:
    """A destination. `timeout_seconds` is the total time of one attempt."""

    def __init__(self, sessions: ShortLivedSession, url: URL, *, timeout_seconds: float) -> None:
        self._sessions = sessions
        self._url = url
        self._timeout_seconds = timeout_seconds

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """Post the message once: 2xx is delivered, a hook that is gone is final, the rest may be tried again."""
        try:
            message = orjson.dumps({"text": slack_text(lead_in_words(body, webhook_id))})
        except ValueError:
            return Outcome(OutcomeKind.TRY_AGAIN, error_class=UNREADABLE_BODY)
        answer = await http_post(self._sessions, self._url, message, _HEADERS, at=at, timeout_seconds=self._timeout_seconds)
        return _judge(answer)


def slack_text(lead: LeadInWords) -> str:
    """The message in Slack's markup. All that strangers wrote stands in one code block: there no mention calls anybody, no link leads
    anywhere, and no markup of Slack's or Mattermost's is read."""
    lines = [f"*{lead.heading}*", f"```\n{_quotable(lead.said if lead.is_trial else _quoted(lead))}\n```"]
    if lead.console_url is not None:
        lines.append(f"<{_escaped(lead.console_url)}|Mở lead này trong Lead Signals>")
    return "\n".join(lines)


def _quoted(lead: LeadInWords) -> str:
    said = [f"{lead.who} ({lead.platform}):" if lead.platform else f"{lead.who}:", lead.said]
    contacts = [f"{word}: {', '.join(listed)}" for word, listed in (("Điện thoại", lead.phones), ("Email", lead.emails)) if listed]
    return "\n".join([*said, *contacts])


def _quotable(text: str) -> str:
    """A backtick could end the block; Slack reads `<!channel>` even inside, until & < > are escaped. Mattermost looks for @all before
    it looks for blocks in its push messages, so no word follows an @ directly."""
    return _escaped(text.replace("`", "'")).replace("@", "@\N{WORD JOINER}")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _judge(answer: Answer | NoAnswer) -> Outcome:
    if isinstance(answer, NoAnswer):
        return Outcome(OutcomeKind.TRY_AGAIN, error_class=answer.error_class)
    if answer.is_success:
        return Outcome(OutcomeKind.DELIVERED, http_status=answer.http_status, answer_head=answer.head)
    is_gone = answer.http_status in _GONE or (answer.http_status < 500 and answer.head.strip() in _GONE_WORDS)
    return Outcome(
        OutcomeKind.GIVE_UP if is_gone else OutcomeKind.TRY_AGAIN,
        http_status=answer.http_status,
        error_class=f"HTTP{answer.http_status}",
        answer_head=answer.head,
        retry_after=None if is_gone else answer.retry_after,
    )
