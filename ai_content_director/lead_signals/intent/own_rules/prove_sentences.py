"""Proves rules by the sentences written beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lead_signals.intent.classify import judge
from lead_signals.intent.pack.pack_mistakes import Place
from lead_signals.intent.pack.rule import Rule
from lead_signals.intent.pack.rule_pack import RulePack


@dataclass(frozen=True, slots=True)
class UnprovenSentence:
    """A sentence that does not come out as its rule says, and why."""

    rule: str
    place: Place
    sentence: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: rule {self.rule!r}: {self.reason}: {self.sentence!r}"


def prove_sentences(rule_pack: RulePack, only: Callable[[Rule], bool] | None = None) -> list[UnprovenSentence]:
    """All that fails, of the rules for which `only` is true, or of all; in the order of the pack. Silenced rules prove nothing.

    A sentence of `says` is to be found by its rule, and its intent is to win among the rules; a sentence of `not` is not to be
    found by its rule. The statistics are not asked: a sentence proves what a rule says, and not what they make of it.
    """
    return list(_failures(rule_pack, only))


def _failures(pack: RulePack, only: Callable[[Rule], bool] | None) -> Iterator[UnprovenSentence]:
    for written in (written for language in pack.languages for written in language.rules):
        rule = written.rule
        if rule.name in pack.silenced or not (only is None or only(rule)):
            continue
        for sentence in written.says:
            judgement = judge(sentence.text, pack, ask_statistics=False)
            speaking = {one.rule for one in judgement.verdict.evidence}
            if rule.name not in speaking:
                yield UnprovenSentence(rule.name, sentence.place, sentence.text, f"does not find its own sentence ({_only(speaking)})")
            elif judgement.verdict.intent_label is not rule.intent_label:
                reason = f"its sentence became {judgement.verdict.intent_label} ({_only(speaking - {rule.name})})"
                yield UnprovenSentence(rule.name, sentence.place, sentence.text, reason)
        for sentence in written.never:
            found = [one.matched for one in judge(sentence.text, pack, ask_statistics=False).verdict.evidence if one.rule == rule.name]
            if found:
                yield UnprovenSentence(rule.name, sentence.place, sentence.text, f"finds {found[0]!r} in a sentence it must leave alone")


def _only(speaking: set[str]) -> str:
    return f"beside it: {', '.join(map(repr, sorted(speaking)))}" if speaking else "no other rule speaks"
