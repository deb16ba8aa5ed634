"""How good is the engine on messages that people labelled?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lead_signals.intent.classify import Judgement
from lead_signals.intent.lane import LaneStatus
from lead_signals.intent.measure.evaluation import Evaluation, LabelScore, Lane, LaneScore, Mistake, PhoneScore
from lead_signals.intent.measure.labelled_message import LabelledMessage
from lead_signals.intent.measure.reliability import Outcome, brier_score, expected_calibration_error, reliability_bins
from lead_signals.intent.verdict import IntentLabel

LEAST_SUPPORT = 10  # a label of fewer texts says more about those texts than about the engine
_LANE_OF: Mapping[LaneStatus, Lane] = {"new_auto": "auto", "new_draft": "draft", "new_escalate": "escalate"}
_Confusion = Mapping[IntentLabel, Mapping[IntentLabel, int]]


def evaluate(messages: Sequence[LabelledMessage], judge: Callable[[str], Judgement]) -> Evaluation:
    """Every measure of `judge` on `messages`; each text is judged once, in their order.

    Strict is right when the label is the same, lenient when it is the same or acceptable. Raises ValueError for no messages.
    """
    if not messages:
        raise ValueError("there is no message to measure by")
    answers = [_Answer(message, judge(message.text)) for message in messages]
    outcomes = [Outcome(one.judgement.verdict.confidence_score, one.lenient, one.strict) for one in answers]
    confusion = _confusion(answers)
    labels = {label: _label_score(label, answers, confusion) for label in confusion}
    macro = {label: score.f1 for label, score in labels.items() if score.support >= LEAST_SUPPORT}
    bins = reliability_bins(outcomes)
    return Evaluation(
        rule_pack=answers[0].judgement.verdict.rule_pack,
        messages=len(answers),
        accuracy=sum(one.strict for one in answers) / len(answers),
        lenient_accuracy=sum(one.lenient for one in answers) / len(answers),
        macro_f1=sum(macro.values()) / len(macro) if macro else None,
        macro_labels=tuple(macro),
        labels=labels,
        confusion=confusion,
        lanes={lane: _lane_score([one for one in answers if one.lane == lane], len(answers)) for lane in _LANE_OF.values()},
        ece=expected_calibration_error(bins),
        ece_strict=expected_calibration_error(bins, strict=True),
        brier=brier_score(outcomes),
        reliability=bins,
        phones=_phones(answers),
        decided=dict(Counter(one.judgement.decision.by for one in answers).most_common()),
        mistakes=_mistakes(answers),
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    message: LabelledMessage
    judgement: Judgement

    @property
    def said(self) -> IntentLabel:
        return self.judgement.verdict.intent_label

    @property
    def strict(self) -> bool:
        return self.said is self.message.label

    @property
    def lenient(self) -> bool:
        return self.strict or self.said in self.message.acceptable

    @property
    def lane(self) -> Lane:
        return _LANE_OF[self.judgement.verdict.status]


def _confusion(answers: Sequence[_Answer]) -> _Confusion:
    pairs = Counter((one.message.label, one.said) for one in answers)
    seen = {label for pair in pairs for label in pair}
    labels = [label for label in IntentLabel if label in seen]
    return {label: {said: pairs[label, said] for said in labels} for label in labels}


def _label_score(label: IntentLabel, answers: Sequence[_Answer], confusion: _Confusion) -> LabelScore:
    right = confusion[label][label]
    support = sum(confusion[label].values())
    said = sum(row[label] for row in confusion.values())
    return LabelScore(
        precision=right / said if said else None,
        recall=right / support if support else None,
        f1=2 * right / (support + said),  # of a label seen here, one of the two is more than 0
        support=support,
        said=said,
        lenient_recall=sum(one.lenient for one in answers if one.message.label is label) / support if support else None,
    )


def _lane_score(answers: Sequence[_Answer], total: int) -> LaneScore:
    count = len(answers)
    return LaneScore(
        count=count,
        coverage=count / total,
        lenient_precision=sum(one.lenient for one in answers) / count if count else None,
        strict_precision=sum(one.strict for one in answers) / count if count else None,
    )


def _phones(answers: Sequence[_Answer]) -> PhoneScore | None:
    """None when nobody looked for phones in any message."""
    looked = [(one.message.has_phone, bool(one.judgement.verdict.phones)) for one in answers if one.message.has_phone is not None]
    if not looked:
        return None
    return PhoneScore(
        messages=len(looked),
        there=sum(1 for there, _ in looked if there),
        found=sum(1 for _, found in looked if found),
        both=sum(1 for there, found in looked if there and found),
    )


def _mistakes(answers: Sequence[_Answer]) -> tuple[Mistake, ...]:
    wrong = [Mistake(one.message, one.judgement) for one in answers if not one.lenient]
    wrong.sort(key=lambda one: -one.judgement.verdict.confidence_score)  # stable: equally sure ones stay in the order of the file
    return tuple(wrong)
