"""What a text wants."""

from dataclasses import dataclass

from lead_signals.intent.contact_details import find_contact_details
from lead_signals.intent.find_evidence import find_evidence
from lead_signals.intent.lane import lane_status
from lead_signals.intent.rule_pack import RulePack, packaged_rule_pack
from lead_signals.intent.text_folding import Token, fold_text
from lead_signals.intent.verdict import PRIORITY_OF, Verdict
from lead_signals.intent.weigh_evidence import Weighing, weigh_evidence

# Nobody's request begins after the second page; what comes later is a pasted document.
LONGEST_READ_CHARACTERS = 8_192


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the working beside it: the tokens that were read and how the intents were weighed."""

    verdict: Verdict
    tokens: tuple[Token, ...]
    weighing: Weighing


def classify(text: str, rule_pack: RulePack | None = None) -> Verdict:
    """The verdict on `text`, by `rule_pack` or the rules that come with the product.

    Pure, and the same for the same text and pack. Any string gets a verdict, empty ones too; only its first 8,192
    characters are read. Raises nothing but RulePackError, and only if the packaged rules are broken.
    """
    return judge(text, rule_pack).verdict


def judge(text: str, rule_pack: RulePack | None = None) -> Judgement:
    """`classify` with its working, for `explain` and for tests."""
    pack = packaged_rule_pack() if rule_pack is None else rule_pack
    read = text[:LONGEST_READ_CHARACTERS]
    details = find_contact_details(read)
    tokens = fold_text(read, pack.abbreviations, details.places)
    evidence = find_evidence(read, tokens, pack)
    weighing = weigh_evidence(evidence)
    return Judgement(
        verdict=Verdict(
            intent_label=weighing.intent_label,
            priority=PRIORITY_OF[weighing.intent_label],
            confidence_score=weighing.confidence_score,
            status=lane_status(weighing.confidence_score),
            evidence=evidence,
            phones=details.phones,
            emails=details.emails,
            rule_pack=pack.name,
        ),
        tokens=tuple(tokens),
        weighing=weighing,
    )
