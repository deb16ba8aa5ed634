"""Why a text got its verdict, for a person at a terminal."""

from dataclasses import dataclass

from lead_signals.intent.classify import judge
from lead_signals.intent.rule_pack import RulePack
from lead_signals.intent.verdict import IntentLabel, Verdict
from lead_signals.printable import printable

OPENING_MARK, CLOSING_MARK = "⟦", "⟧"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`marked_text` is the text with the words that decided in ⟦brackets⟧; `scores` are 0..1 in the order of precedence."""

    text: str
    verdict: Verdict
    marked_text: str
    scores: tuple[tuple[IntentLabel, float], ...]
    reason: str


def explain(text: str, rule_pack: RulePack | None = None) -> Explanation:
    """The same verdict as `classify`, with its working. Pure; any string is accepted."""
    judgement = judge(text, rule_pack)
    verdict = judgement.verdict
    spans = [(one.start, one.end) for one in verdict.evidence if one.intent_label is verdict.intent_label]
    return Explanation(text, verdict, _mark(text, spans), judgement.weighing.scores, judgement.weighing.reason)


def render_explanation(explanation: Explanation) -> list[str]:
    """Plain lines without colour; control characters of the text are shown as signs, so it cannot steer a terminal."""
    verdict = explanation.verdict
    lines = [
        printable(explanation.marked_text),
        "",
        f"{verdict.intent_label}  {verdict.confidence_score:.3f}  priority {verdict.priority}  lane {verdict.status}",
        f"because: {explanation.reason}",
    ]
    for label, score in explanation.scores:
        lines.append(f"  {label:<16} {score:.3f}")
        lines += [
            f"    {one.weight:.3f}  {one.rule}: “{printable(one.matched)}” ({one.start}–{one.end})"
            for one in verdict.evidence
            if one.intent_label is label
        ]
    if verdict.phones or verdict.emails:
        lines.append(f"contact: {', '.join((*verdict.phones, *verdict.emails))}")
    lines.append(f"rule pack {verdict.rule_pack}")
    return lines


def _mark(text: str, spans: list[tuple[int, int]]) -> str:
    marked: list[str] = []
    at = 0
    for start, end in _merged(spans):
        marked += [text[at:start], OPENING_MARK, text[start:end], CLOSING_MARK]
        at = end
    return "".join([*marked, text[at:]])


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
