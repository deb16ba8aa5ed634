"""The measures, against numbers worked out by hand; the lines, the JSON and the drawing that tell them."""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import count
from xml.etree import ElementTree

import pytest

from lead_signals.intent.bad_line import BadLine
from lead_signals.intent.classify import Judgement, judge
from lead_signals.intent.decide import Decision
from lead_signals.intent.evidence.weigh_evidence import Weighing
from lead_signals.intent.lane import lane_status
from lead_signals.intent.measure.evaluate import evaluate
from lead_signals.intent.measure.evaluation import Evaluation, LabelScore
from lead_signals.intent.measure.evaluation_json import evaluation_json
from lead_signals.intent.measure.labelled_message import LabelledMessage, read_labelled_messages
from lead_signals.intent.measure.reliability_plot import HEIGHT, WIDTH, reliability_plot
from lead_signals.intent.measure.render_evaluation import render_evaluation
from lead_signals.intent.verdict import PRIORITY_OF, Evidence, IntentLabel, Verdict

PRICE, COMPLAINT, THANKS = IntentLabel.INQUIRY_PRICE, IntentLabel.COMPLAINT, IntentLabel.THANKS
INQUIRY, ENGAGEMENT, UNKNOWN = IntentLabel.INQUIRY, IntentLabel.ENGAGEMENT, IntentLabel.UNKNOWN
SVG = "{http://www.w3.org/2000/svg}"

_numbers = count()
Asked = tuple[LabelledMessage, Judgement]


def said(label: IntentLabel, confidence: float, phone: str = "", rule_pack: str = "pack-1", evidence: Sequence[Evidence] = ()) -> Judgement:
    """A judgement as `judge` gives one."""
    phones = (phone,) if phone else ()
    return Judgement(
        verdict=Verdict(label, PRIORITY_OF[label], confidence, lane_status(confidence), tuple(evidence), phones, (), rule_pack),
        tokens=(),
        weighing=Weighing(label, confidence, ((label, confidence),), "the only intent that is clear"),
        opinion=None,
        decision=Decision(label, confidence, "rules", "the only intent that is clear"),
        moved_by=(),
    )


def asked(label: IntentLabel, answer: Judgement, *acceptable: IntentLabel, has_phone: bool | None = None) -> Asked:
    identity = next(_numbers)
    return LabelledMessage(identity, f"text {identity}", label, frozenset(acceptable), has_phone), answer


def evaluated(asked: Sequence[Asked]) -> Evaluation:
    answers = {message.text: answer for message, answer in asked}
    return evaluate([message for message, _ in asked], answers.__getitem__)


def two_large_labels() -> list[Asked]:
    """Ten prices, ten complaints, two thanks."""
    return [
        *(asked(PRICE, said(PRICE, 0.9)) for _ in range(8)),
        asked(PRICE, said(COMPLAINT, 0.8)),
        asked(PRICE, said(INQUIRY, 0.6), INQUIRY),
        *(asked(COMPLAINT, said(COMPLAINT, 0.9)) for _ in range(9)),
        asked(COMPLAINT, said(PRICE, 0.95)),
        asked(THANKS, said(THANKS, 0.9)),
        asked(THANKS, said(ENGAGEMENT, 0.7)),
    ]


def test_accuracy_and_the_scores_of_each_label() -> None:
    found = evaluated(two_large_labels())
    assert found.messages == 22
    assert found.accuracy == pytest.approx(18 / 22)
    assert found.lenient_accuracy == pytest.approx(19 / 22)
    assert list(found.labels) == [COMPLAINT, PRICE, INQUIRY, THANKS, ENGAGEMENT]
    price = found.labels[PRICE]
    assert (price.precision, price.recall, price.f1) == pytest.approx((8 / 9, 8 / 10, 16 / 19))
    assert (price.support, price.said, price.lenient_recall) == (10, 9, 0.9)
    complaint = found.labels[COMPLAINT]
    assert (complaint.precision, complaint.recall, complaint.f1) == pytest.approx((0.9, 0.9, 0.9))
    assert found.labels[THANKS] == LabelScore(precision=1.0, recall=0.5, f1=2 / 3, support=2, said=1, lenient_recall=0.5)
    assert found.labels[INQUIRY] == LabelScore(precision=0.0, recall=None, f1=0.0, support=0, said=1, lenient_recall=None)


def test_macro_f1_is_over_the_labels_of_ten_texts_or_more() -> None:
    found = evaluated(two_large_labels())
    assert found.macro_labels == (COMPLAINT, PRICE)
    assert found.macro_f1 == pytest.approx((16 / 19 + 0.9) / 2)
    few = evaluated([asked(PRICE, said(PRICE, 0.9)) for _ in range(9)])
    assert (few.macro_f1, few.macro_labels, few.accuracy) == (None, (), 1.0)


def test_the_confusion_counts_what_was_said_of_what() -> None:
    confusion = evaluated(two_large_labels()).confusion
    assert confusion[PRICE] == {COMPLAINT: 1, PRICE: 8, INQUIRY: 1, THANKS: 0, ENGAGEMENT: 0}
    assert confusion[COMPLAINT] == {COMPLAINT: 9, PRICE: 1, INQUIRY: 0, THANKS: 0, ENGAGEMENT: 0}
    assert confusion[INQUIRY] == dict.fromkeys(confusion, 0)
    assert sum(sum(row.values()) for row in confusion.values()) == 22


def test_lanes_by_coverage_and_both_precisions() -> None:
    found = evaluated(
        [
            asked(PRICE, said(PRICE, 0.85)),
            asked(PRICE, said(PRICE, 0.97)),
            asked(PRICE, said(INQUIRY, 0.9), INQUIRY),
            asked(PRICE, said(COMPLAINT, 0.86)),
            asked(PRICE, said(COMPLAINT, 0.849)),
        ]
    ).lanes
    assert list(found) == ["auto", "draft", "escalate"]
    auto, draft, escalate = found.values()
    assert (auto.count, auto.coverage, auto.lenient_precision, auto.strict_precision) == (4, 0.8, 0.75, 0.5)
    assert (draft.count, draft.coverage, draft.lenient_precision, draft.strict_precision) == (1, 0.2, 0.0, 0.0)
    assert (escalate.count, escalate.coverage, escalate.lenient_precision, escalate.strict_precision) == (0, 0.0, None, None)


def uneven() -> list[Asked]:
    """Three texts at 0.70, 0.75 and 0.79, two at 0.92 and 0.96."""
    return [
        asked(PRICE, said(PRICE, 0.70)),
        asked(PRICE, said(INQUIRY, 0.75), INQUIRY),
        asked(PRICE, said(COMPLAINT, 0.79)),
        asked(PRICE, said(PRICE, 0.92)),
        asked(PRICE, said(COMPLAINT, 0.96)),
    ]


def test_calibration_by_hand() -> None:
    found = evaluated(uneven())
    # Lenient: the bin of 0.7 is 0.7466… sure and 2/3 right, that of 0.9 is 0.94 sure and 1/2 right.
    assert found.ece == pytest.approx(3 / 5 * 0.08 + 2 / 5 * 0.44)
    # Strict: of the three, one is right.
    assert found.ece_strict == pytest.approx(3 / 5 * (2.24 / 3 - 1 / 3) + 2 / 5 * 0.44)
    assert found.brier == pytest.approx((0.3**2 + 0.25**2 + 0.79**2 + 0.08**2 + 0.96**2) / 5)
    assert [one.count for one in found.reliability] == [0, 0, 0, 0, 0, 0, 0, 3, 0, 2]
    seven = found.reliability[7]
    assert (seven.low, seven.high) == (0.7, 0.8)
    assert (seven.confidence, seven.lenient_accuracy, seven.strict_accuracy) == pytest.approx((2.24 / 3, 2 / 3, 1 / 3))
    assert (found.reliability[0].confidence, found.reliability[0].lenient_accuracy) == (None, None)


@pytest.mark.parametrize("tenths", range(11))
def test_a_confidence_on_an_edge_belongs_to_the_bin_that_begins_there(tenths: int) -> None:
    found = evaluated([asked(PRICE, said(PRICE, tenths / 10))])
    assert found.reliability[min(tenths, 9)].count == 1


def test_phones_are_measured_where_somebody_looked() -> None:
    found = evaluated(
        [
            asked(PRICE, said(PRICE, 0.9, phone="+84912345678"), has_phone=True),
            asked(PRICE, said(PRICE, 0.9), has_phone=True),
            asked(PRICE, said(PRICE, 0.9), has_phone=True),
            asked(PRICE, said(PRICE, 0.9, phone="+84912345678"), has_phone=False),
            asked(PRICE, said(PRICE, 0.9), has_phone=False),
            asked(PRICE, said(PRICE, 0.9, phone="+84912345678")),
        ]
    ).phones
    assert found is not None
    assert (found.messages, found.there, found.found, found.both) == (5, 3, 2, 1)
    assert (found.precision, found.recall) == (0.5, 1 / 3)
    assert evaluated(uneven()).phones is None


def test_the_most_confident_mistakes_come_first_and_acceptable_ones_are_none() -> None:
    found = evaluated(
        [
            asked(PRICE, said(INQUIRY, 0.99), INQUIRY),
            asked(PRICE, said(COMPLAINT, 0.6)),
            asked(PRICE, said(COMPLAINT, 0.9)),
            asked(THANKS, said(COMPLAINT, 0.9)),
            asked(PRICE, said(PRICE, 0.97)),
        ]
    )
    assert [(one.judgement.verdict.confidence_score, one.message.label) for one in found.mistakes] == [
        (0.9, PRICE),
        (0.9, THANKS),
        (0.6, PRICE),
    ]


def test_nothing_to_measure_by_is_refused() -> None:
    with pytest.raises(ValueError, match="no message"):
        evaluate([], judge)


def test_the_engine_itself_can_be_measured() -> None:
    messages = [LabelledMessage(1, "Cho tôi báo giá máy phay", PRICE), LabelledMessage(2, "Giá bao nhiêu vậy shop", PRICE)]
    found = evaluate(messages, judge)
    assert (found.accuracy, found.messages) == (1.0, 2)
    assert sum(found.decided.values()) == 2


def read(*lines: str) -> list[LabelledMessage | BadLine]:
    return list(read_labelled_messages(line.encode() for line in lines))


def test_a_line_is_read_with_all_it_says() -> None:
    (one,) = read('{"id":"m1","text":"ib giá","label":"inquiry_price","acceptable":["contact_request"],"has_phone":false,"ambiguous":1}')
    assert one == LabelledMessage("m1", "ib giá", PRICE, frozenset({IntentLabel.CONTACT_REQUEST}), has_phone=False)


def test_what_may_be_missing_may_be_missing_and_blank_lines_count() -> None:
    assert read("", " ", '{"text":"","label":"spam","acceptable":null}', "\n") == [LabelledMessage("line 3", "", IntentLabel.SPAM)]
    assert read('\ufeff{"text":"x","label":"thanks"}') == [LabelledMessage("line 1", "x", THANKS)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no JSON", "not JSON"),
        ("[]", "needs an object"),
        ('{"label":"thanks"}', '"text" must be there'),
        ('{"text":7,"label":"thanks"}', '"text" must be there'),
        ('{"text":"x"}', '"label" is missing; known are spam, '),
        ('{"text":"x","label":"price"}', "\"label\" is 'price'; known are"),
        ('{"text":"x","label":["thanks"]}', '"label" is no text'),
        ('{"text":"x","label":"thanks","acceptable":"spam"}', '"acceptable" must be a list'),
        ('{"text":"x","label":"thanks","acceptable":["ham"]}', "\"acceptable\" is 'ham'"),
        ('{"text":"x","label":"thanks","has_phone":1}', '"has_phone" must be true or false'),
        ('{"id":{},"text":"x","label":"thanks"}', '"id" must be'),
        ('{"id":true,"text":"x","label":"thanks"}', '"id" must be'),
        ('{"text":"\\ud800","label":"thanks"}', "not JSON"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(line: str, problem: str) -> None:
    good = '{"text":"x","label":"thanks"}'
    first, bad, last = read(good, line, good)
    assert isinstance(first, LabelledMessage)
    assert isinstance(last, LabelledMessage)
    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert problem in bad.problem


def columns(line: str) -> int:
    return sum(0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


def hostile() -> Evaluation:
    text = "\x1b[2J\x07 giá\r\n\u202e 😀" + "😀" * 300 + " " + "đ" * 500 + " nhé" * 200 + "e\u0323\u0302" * 300
    evidence = [Evidence("rule \x1b[31m", text, 0, len(text), COMPLAINT, 0.5)]
    wrong = said(COMPLAINT, 0.9, rule_pack="pack\x1b]0;x\x07", evidence=evidence)
    messages = [
        LabelledMessage("id \x1b[1m", text, label, frozenset(IntentLabel) - {COMPLAINT}) for label in IntentLabel for _ in range(12)
    ]
    return evaluate(messages, lambda _: wrong)


def test_the_lines_fit_a_terminal_and_cannot_steer_it() -> None:
    lines = render_evaluation(hostile(), worst=3)
    assert all(line.isprintable() for line in lines)
    assert max(columns(line) for line in lines) <= 100
    assert [line[:2] for line in lines if line[:2] in ("1.", "2.", "3.", "4.")] == ["1.", "2.", "3."]


def test_the_lines_tell_what_was_measured() -> None:
    told = "\n".join(render_evaluation(evaluated(two_large_labels()), worst=1))
    for expected in (
        "22 messages; decided by: rules 22",
        "accuracy          0.818",
        "lenient accuracy  0.864",
        "over the 2 labels of at least 10 texts: complaint, inquiry_price",
        "inquiry_price      0.889   0.800  0.842           0.900     10     9",
        "The most confident mistake:\n1. 0.950 new_auto: inquiry_price, should be complaint",
        "rules: the only intent that is clear",
    ):
        assert expected in told, told
    assert "phones" not in told


def test_nothing_wrong_is_said_so() -> None:
    right = evaluated([asked(PRICE, said(PRICE, 0.9), has_phone=False)])
    told = "\n".join(render_evaluation(right, worst=10))
    assert "No mistakes." in told
    assert "no label has ten texts" in told
    assert "phones  precision –  recall –  in 0 of 1 messages; 0 missed, 0 invented" in told


def test_json_keeps_its_keys() -> None:
    told = evaluation_json(evaluated(two_large_labels()), worst=1)
    assert list(told) == [
        *("rule_pack", "messages", "accuracy", "lenient_accuracy", "macro_f1", "macro_labels", "labels", "confusion", "lanes", "ece"),
        *("ece_strict", "brier", "reliability", "phones", "decided", "mistakes", "worst"),
    ]
    assert told["labels"]["inquiry"] == {"precision": 0, "recall": None, "f1": 0, "lenient_recall": None, "support": 0, "said": 1}
    assert told["confusion"]["inquiry_price"]["complaint"] == 1
    assert told["lanes"]["escalate"]["lenient_precision"] == 1
    assert (told["phones"], told["mistakes"], len(told["reliability"])) == (None, 3, 10)
    (worst,) = told["worst"]
    assert (worst["label"], worst["intent_label"], worst["confidence_score"]) == ("complaint", "inquiry_price", 0.95)


@pytest.mark.parametrize("made", [lambda: evaluated(uneven()), hostile, lambda: evaluated(two_large_labels())])
def test_the_drawing_is_valid_and_tells_itself_in_words(made: Callable[[], Evaluation]) -> None:
    found = made()
    root = ElementTree.fromstring(reliability_plot(found))
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    assert (root[0].tag, root[1].tag) == (f"{SVG}title", f"{SVG}desc")
    assert f"{found.messages:,} verdicts" in str(root[0].text)
    assert f"error {found.ece:.3f} lenient" in str(root[1].text)
    filled = [one for one in found.reliability if one.count]
    dots = [one for one in root.iter(f"{SVG}circle") if one.get("class") == "p"]
    assert len(dots) == 1 + len(filled)  # the legend's
    words = [one.text for one in root.iter(f"{SVG}text")]
    assert {"draft from 0.70", "auto from 0.85", *(str(one.count) for one in filled)} <= set(words)


def test_the_drawing_puts_dots_where_accuracy_and_confidence_say() -> None:
    root = ElementTree.fromstring(reliability_plot(evaluated([asked(PRICE, said(PRICE, 0.5)), asked(PRICE, said(THANKS, 0.5))])))
    _, dot = (one for one in root.iter(f"{SVG}circle") if one.get("class") == "p")
    diagonal = [one for one in root.iter(f"{SVG}line") if one.get("class") == "d"][-1]
    middle = [(float(diagonal.get(f"{axis}1", "")) + float(diagonal.get(f"{axis}2", ""))) / 2 for axis in "xy"]
    assert [float(dot.get("cx", "")), float(dot.get("cy", ""))] == middle
