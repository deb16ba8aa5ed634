"""Why a text got its verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS, Judgement, judge
from lead_signals.intent.explaining.find_silenced import Silenced, find_silenced
from lead_signals.intent.pack.rule_pack import RulePack, packaged_rule_pack, vietnamese_names
from lead_signals.intent.statistics.statistical_opinion import words_that_moved
from lead_signals.intent.verdict import Evidence, IntentLabel, Verdict

OPINIONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Statistics:
    """The statistical opinion: the likeliest intents with their probabilities, and the words that moved it with their shares."""

    likeliest: tuple[tuple[IntentLabel, float], ...]
    moved_by: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with everything that led to it.

    `marks` are the places (start, end) of the words that decided, in order and apart from each other. `scores` are how sure the
    rules were of each intent, 0..1, in the order of precedence. `spoke` are the rules that spoke, also those that lost, and
    `silenced` those that something kept silent. `statistics` is None where nobody asked for an opinion. `vietnamese_names` are
    the names of rules as an operator reads them, where they have one. Of a longer text only the first `read_characters` are read.
    """

    text: str
    read_characters: int
    verdict: Verdict
    marks: tuple[tuple[int, int], ...]
    spoke: tuple[Evidence, ...]
    silenced: tuple[Silenced, ...]
    scores: tuple[tuple[IntentLabel, float], ...]
    statistics: Statistics | None
    decided_by: str
    reason: str
    vietnamese_names: dict[str, str]


def explain(text: str, rule_pack: RulePack | None = None) -> Explanation:
    """The same verdict as `classify`, with its working. Pure; any string is accepted."""
    pack = packaged_rule_pack() if rule_pack is None else rule_pack
    judgement = judge(text, pack)
    verdict = judgement.verdict
    read = text[:LONGEST_READ_CHARACTERS]
    spoke = verdict.evidence[: len(verdict.evidence) - len(judgement.moved_by)]
    silenced = find_silenced(read, judgement.tokens, pack, spoke)
    decided = judgement.moved_by if judgement.decision.by == "statistics" else spoke
    return Explanation(
        text=text,
        read_characters=len(read),
        verdict=verdict,
        marks=_merged((one.start, one.end) for one in decided if one.intent_label is verdict.intent_label),
        spoke=spoke,
        silenced=silenced,
        scores=judgement.weighing.scores,
        statistics=_statistics(read, judgement),
        decided_by=judgement.decision.by,
        reason=judgement.decision.reason,
        vietnamese_names=_vietnamese_names(pack, (*spoke, *(one.would_say for one in silenced))),
    )


def _statistics(read: str, judgement: Judgement) -> Statistics | None:
    """Also where the rules decided: who tunes rules wants to know what the statistics would have said."""
    opinion = judgement.opinion
    if opinion is None:
        return None
    moved_by = judgement.moved_by or words_that_moved(read, judgement.tokens, opinion, opinion.likeliest)
    return Statistics(opinion.ranked()[:OPINIONS_SHOWN], moved_by)


def _merged(places: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _vietnamese_names(pack: RulePack, evidence: Sequence[Evidence]) -> dict[str, str]:
    named = {one.rule for one in evidence}
    return {name: vietnamese for name, vietnamese in vietnamese_names(pack).items() if name in named}
