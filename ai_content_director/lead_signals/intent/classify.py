"""What a text wants."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.decide import Decision, decide
from lead_signals.intent.evidence.find_evidence import find_evidence
from lead_signals.intent.evidence.weigh_evidence import Weighing, weigh_evidence
from lead_signals.intent.folding.text_folding import Token, fold_text
from lead_signals.intent.lane import lane_status
from lead_signals.intent.pack.rule_pack import RulePack, packaged_rule_pack
from lead_signals.intent.statistics.statistical_model import packaged_model
from lead_signals.intent.statistics.statistical_opinion import Opinion, form_opinion, words_that_moved
from lead_signals.intent.verdict import PRIORITY_OF, Evidence, Verdict

# Nobody's request begins after the second page; what comes later is a pasted document.
LONGEST_READ_CHARACTERS = 8_192


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the working beside it: the tokens that were read, how the rules weighed, what the statistics said, who decided."""

    verdict: Verdict
    tokens: tuple[Token, ...]
    weighing: Weighing
    opinion: Opinion | None
    decision: Decision
    moved_by: tuple[Evidence, ...]
    """The words that moved the statistics towards the intent that was decided; empty when the rules decided."""


def classify(text: str, rule_pack: RulePack | None = None) -> Verdict:
    """The verdict on `text`, by `rule_pack` or the rules that come with the product, and the statistics for what they leave open.

    Pure, and the same for the same text and pack. Any string gets a verdict, empty ones too; only its first 8,192
    characters are read. Raises nothing but RulePackError and ModelError, and only if the packaged files are broken.
    """
    return judge(text, rule_pack).verdict


def judge(text: str, rule_pack: RulePack | None = None, *, ask_statistics: bool = True) -> Judgement:
    """`classify` with its working, for `explain` and for tests; without statistics, what the rules alone say."""
    pack = packaged_rule_pack() if rule_pack is None else rule_pack
    model = packaged_model() if ask_statistics else None
    read = text[:LONGEST_READ_CHARACTERS]
    details = find_contact_details(read)
    tokens = fold_text(read, pack.abbreviations, details.places)
    evidence = find_evidence(read, tokens, pack)
    weighing = weigh_evidence(evidence)
    opinion = None if model is None or not tokens else form_opinion(tokens, weighing, model)
    decision = decide(weighing, opinion, by_own_rule=_own_rule_won(evidence, weighing, pack))
    if not tokens:
        decision = replace(decision, reason="there is no word in it")
    moved_by: tuple[Evidence, ...] = ()
    if opinion is not None and decision.by == "statistics":
        moved_by = words_that_moved(read, tokens, opinion, decision.intent_label)
    return Judgement(
        verdict=Verdict(
            intent_label=decision.intent_label,
            priority=PRIORITY_OF[decision.intent_label],
            confidence_score=decision.confidence_score,
            status=lane_status(decision.confidence_score),
            evidence=evidence + moved_by,
            phones=details.phones,
            emails=details.emails,
            rule_pack=pack.name if model is None else f"{pack.name}+{model.name}",
        ),
        tokens=tuple(tokens),
        weighing=weighing,
        opinion=opinion,
        decision=decision,
        moved_by=moved_by,
    )


def _own_rule_won(evidence: Sequence[Evidence], weighing: Weighing, pack: RulePack) -> bool:
    return bool(pack.own_rules) and any(one.rule in pack.own_rules and one.intent_label is weighing.intent_label for one in evidence)
