"""What was decided about one text, and by which words of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from lead_signals.intent.lane import LaneStatus


class IntentLabel(StrEnum):
    """What the person wants. Written in the order of precedence: of two equally clear intents the earlier one wins."""

    SPAM = "spam"
    COMPLAINT = "complaint"
    PURCHASE_INTENT = "purchase_intent"
    INQUIRY_PRICE = "inquiry_price"
    DEMO_REQUEST = "demo_request"
    CONTACT_REQUEST = "contact_request"
    INQUIRY = "inquiry"
    THANKS = "thanks"
    ENGAGEMENT = "engagement"
    UNKNOWN = "unknown"


class Priority(StrEnum):
    """How urgent the answer is; `high` promises a follow-up."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


PRIORITY_OF: Mapping[IntentLabel, Priority] = MappingProxyType(
    {
        IntentLabel.INQUIRY_PRICE: Priority.HIGH,
        IntentLabel.PURCHASE_INTENT: Priority.HIGH,
        IntentLabel.CONTACT_REQUEST: Priority.HIGH,
        IntentLabel.DEMO_REQUEST: Priority.HIGH,
        IntentLabel.COMPLAINT: Priority.HIGH,
        IntentLabel.INQUIRY: Priority.MEDIUM,
        IntentLabel.UNKNOWN: Priority.MEDIUM,
        IntentLabel.THANKS: Priority.LOW,
        IntentLabel.ENGAGEMENT: Priority.LOW,
        IntentLabel.SPAM: Priority.LOW,
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rule that spoke, and the words it spoke about.

    `start` and `end` count characters (code points) of the text as it came in; `matched` is exactly `text[start:end]`.
    `weight` is how sure the rule is for this wording, 0..1: words typed without diacritics weigh less than the rule says.
    """

    rule: str
    matched: str
    start: int
    end: int
    intent_label: IntentLabel
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of `classify`.

    `confidence_score` is 0..1, already rounded to the decimals that are stored; `status` follows from it by
    `lane.lane_status`. `evidence` holds every rule that spoke, also those that lost, in the order of the text.
    `phones` are E.164, `emails` lower case. `rule_pack` names the exact rules: the same text with the same rule pack always
    gives the same verdict.
    """

    intent_label: IntentLabel
    priority: Priority
    confidence_score: float
    status: LaneStatus
    evidence: tuple[Evidence, ...]
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    rule_pack: str
