"""An explanation as lines for a person at a terminal."""

from lead_signals.intent.explaining.explain import Explanation
from lead_signals.intent.explaining.find_silenced import Silenced
from lead_signals.intent.lane import AUTO_FLOOR, DRAFT_FLOOR
from lead_signals.intent.verdict import Evidence, IntentLabel
from lead_signals.printable import printable

OPENING_MARK, CLOSING_MARK = "⟦", "⟧"
_LANES = {
    "new_auto": f"{AUTO_FLOOR:.2f} or more",
    "new_draft": f"{DRAFT_FLOOR:.2f} up to {AUTO_FLOOR:.2f}",
    "new_escalate": f"less than {DRAFT_FLOOR:.2f}",
}


def render_explanation(explanation: Explanation) -> list[str]:
    """Plain lines without colour; signs of the text that a terminal would act upon are replaced, so it cannot steer one."""
    verdict = explanation.verdict
    lines = [
        printable(marked_text(explanation)),
        "",
        f"{verdict.intent_label}  {verdict.confidence_score:.3f}  priority {verdict.priority}  lane {verdict.status}"
        f" ({_LANES[verdict.status]})",
        f"decided by {explanation.decided_by}, because: {printable(explanation.reason)}",
        *_rules(explanation),
        *_silenced(explanation),
        *_statistics(explanation),
    ]
    if explanation.read_characters < len(explanation.text):
        lines.append(f"read: the first {explanation.read_characters:,} of {len(explanation.text):,} characters")
    if verdict.phones or verdict.emails:
        lines.append(f"contact: {', '.join((*verdict.phones, *verdict.emails))}")
    return [*lines, f"rule pack {printable(verdict.rule_pack)}"]


def marked_text(explanation: Explanation) -> str:
    """The text with the words that decided in ⟦brackets⟧."""
    pieces: list[str] = []
    at = 0
    for start, end in explanation.marks:
        pieces += [explanation.text[at:start], OPENING_MARK, explanation.text[start:end], CLOSING_MARK]
        at = end
    return "".join([*pieces, explanation.text[at:]])


def _rules(explanation: Explanation) -> list[str]:
    """Each intent that rules spoke for, how sure they are together, and each of them with its weight for this wording."""
    if not explanation.scores:
        return ["rules: none spoke"]
    lines = ["rules:"]
    for label, score in explanation.scores:
        lines.append(f"  {label:<16} {score:.3f}")
        lines += [f"    {one.weight:.3f}  {_said(one, explanation)}" for one in explanation.spoke if one.intent_label is label]
    return lines


def _silenced(explanation: Explanation) -> list[str]:
    if not explanation.silenced:
        return []
    return ["kept silent:", *(_kept_silent(one, explanation) for one in explanation.silenced)]


def _kept_silent(one: Silenced, explanation: Explanation) -> str:
    by = "" if one.by is None else f": “{printable(explanation.text[one.by[0] : one.by[1]])}” ({one.by[0]}–{one.by[1]})"
    return f"  {_label(one.would_say.intent_label)}  {_said(one.would_say, explanation)}; {one.silencer.value}{by}"


def _statistics(explanation: Explanation) -> list[str]:
    if explanation.statistics is None:
        return []
    lines = ["statistics:"]
    lines += [f"  {_label(label)} {probability:.3f}" for label, probability in explanation.statistics.likeliest]
    lines += [
        f"    {one.weight:.3f}  of what spoke for {one.intent_label}: “{printable(one.matched)}” ({one.start}–{one.end})"
        for one in explanation.statistics.moved_by
    ]
    return lines


def _said(one: Evidence, explanation: Explanation) -> str:
    vietnamese = explanation.vietnamese_names.get(one.rule)
    name = one.rule if vietnamese is None else f"{one.rule} ({vietnamese})"
    return f"{printable(name)}: “{printable(one.matched)}” ({one.start}–{one.end})"


def _label(label: IntentLabel) -> str:
    return f"{label:<16}"
