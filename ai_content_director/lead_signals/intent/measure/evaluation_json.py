"""An evaluation as JSON for programs; the keys are a contract."""

from typing import Any

from lead_signals.intent.measure.evaluation import Evaluation, Mistake


def evaluation_json(evaluation: Evaluation, *, worst: int) -> dict[str, Any]:
    """Everything that was measured, and the `worst` most confident mistakes. A ratio over nothing is null."""
    phones = evaluation.phones
    return {
        "rule_pack": evaluation.rule_pack,
        "messages": evaluation.messages,
        "accuracy": evaluation.accuracy,
        "lenient_accuracy": evaluation.lenient_accuracy,
        "macro_f1": evaluation.macro_f1,
        "macro_labels": [label.value for label in evaluation.macro_labels],
        "labels": {
            label.value: {
                "precision": score.precision,
                "recall": score.recall,
                "f1": score.f1,
                "lenient_recall": score.lenient_recall,
                "support": score.support,
                "said": score.said,
            }
            for label, score in evaluation.labels.items()
        },
        "confusion": {label.value: {said.value: count for said, count in row.items()} for label, row in evaluation.confusion.items()},
        "lanes": {
            lane: {
                "count": score.count,
                "coverage": score.coverage,
                "lenient_precision": score.lenient_precision,
                "strict_precision": score.strict_precision,
            }
            for lane, score in evaluation.lanes.items()
        },
        "ece": evaluation.ece,
        "ece_strict": evaluation.ece_strict,
        "brier": evaluation.brier,
        "reliability": [
            {
                "low": one.low,
                "high": one.high,
                "count": one.count,
                "confidence": one.confidence,
                "lenient_accuracy": one.lenient_accuracy,
                "strict_accuracy": one.strict_accuracy,
            }
            for one in evaluation.reliability
        ],
        "phones": None
        if phones is None
        else {
            "messages": phones.messages,
            "there": phones.there,
            "found": phones.found,
            "both": phones.both,
            "precision": phones.precision,
            "recall": phones.recall,
        },
        "decided": dict(evaluation.decided),
        "mistakes": len(evaluation.mistakes),
        "worst": [_mistake(one) for one in evaluation.mistakes[:worst]],
    }


def _mistake(mistake: Mistake) -> dict[str, Any]:
    message, verdict = mistake.message, mistake.judgement.verdict
    return {
        "id": message.id,
        "text": message.text,
        "label": message.label.value,
        "acceptable": sorted(message.acceptable),
        "intent_label": verdict.intent_label.value,
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "decided_by": mistake.judgement.decision.by,
        "reason": mistake.judgement.decision.reason,
        "rules": [one.rule for one in verdict.evidence if one.intent_label is verdict.intent_label],
    }
