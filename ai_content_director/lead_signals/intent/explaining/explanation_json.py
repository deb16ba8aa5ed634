"""An explanation as JSON for programs; the keys are a contract. Words are marked by places in the text, never by markup."""

from typing import Any

from lead_signals.intent.explaining.explain import Explanation
from lead_signals.intent.explaining.find_silenced import Silenced
from lead_signals.intent.verdict import Evidence


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Places are [start, end) in characters (code points) of `text`."""
    verdict, statistics = explanation.verdict, explanation.statistics
    return {
        "text": explanation.text,
        "read_characters": explanation.read_characters,
        "intent_label": verdict.intent_label.value,
        "priority": verdict.priority.value,
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "decided_by": explanation.decided_by,
        "reason": explanation.reason,
        "marks": [{"start": start, "end": end} for start, end in explanation.marks],
        "scores": {label.value: score for label, score in explanation.scores},
        "rules": [_rule(one, explanation) for one in explanation.spoke],
        "silenced": [_silenced(one, explanation) for one in explanation.silenced],
        "statistics": None
        if statistics is None
        else {
            "likeliest": [{"intent_label": label.value, "probability": probability} for label, probability in statistics.likeliest],
            "moved_by": [{"intent_label": one.intent_label.value, "share": one.weight, **_place(one)} for one in statistics.moved_by],
        },
        "phones": list(verdict.phones),
        "emails": list(verdict.emails),
        "rule_pack": verdict.rule_pack,
    }


def _rule(one: Evidence, explanation: Explanation) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "vietnamese_name": explanation.vietnamese_names.get(one.rule),
        "intent_label": one.intent_label.value,
        "weight": one.weight,
        **_place(one),
    }


def _place(one: Evidence) -> dict[str, Any]:
    return {"matched": one.matched, "start": one.start, "end": one.end}


def _silenced(one: Silenced, explanation: Explanation) -> dict[str, Any]:
    by = None if one.by is None else {"matched": explanation.text[one.by[0] : one.by[1]], "start": one.by[0], "end": one.by[1]}
    return {**_rule(one.would_say, explanation), "silencer": one.silencer.name.lower(), "silenced_by": by}
