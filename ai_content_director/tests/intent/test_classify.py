"""What must land, whatever else changes."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS, classify, judge
from lead_signals.intent.measure.evaluate import evaluate
from lead_signals.intent.measure.labelled_message import LabelledMessage, read_labelled_messages
from lead_signals.intent.pack.rule_pack import packaged_rule_pack
from lead_signals.intent.statistics.statistical_model import packaged_model
from lead_signals.intent.verdict import PRIORITY_OF, IntentLabel, Priority

BUSINESS_MESSAGES = Path(__file__).parent / "business_messages.jsonl"
BUSINESS_SENTENCES = Path(__file__).parent / "business_sentences.yaml"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Cho tôi báo giá gói Enterprise", "inquiry_price"),
        ("Cho tôi báo giá", "inquiry_price"),
        ("CHO TÔI BÁO GIÁ!!!", "inquiry_price"),
        ("Tôi cần tư vấn", "contact_request"),
        ("0912 345 678", "contact_request"),
        ("Cho bên anh xem demo hệ thống", "demo_request"),
        ("Chốt cho mình 2 bộ", "purchase_intent"),
        ("Giao hàng quá chậm, thất vọng", "complaint"),
        ("Please send me a quote", "inquiry_price"),
        ("How much is the annual plan?", "inquiry_price"),
        ("Can we book a demo?", "demo_request"),
    ],
)
def test_a_clear_request_is_urgent_and_automatic(text: str, label: str) -> None:
    verdict = classify(text)
    assert (verdict.intent_label, verdict.priority, verdict.status) == (label, "high", "new_auto")
    assert 0.85 <= verdict.confidence_score <= 0.99


@pytest.mark.parametrize(
    ("text", "label", "priority"),
    [
        ("Cảm ơn bên em nhiều nhé", "thanks", "low"),
        ("Máy đẹp quá ❤️", "engagement", "low"),
        ("Tuyển CTV online, thu nhập 10 triệu, inbox zalo", "spam", "low"),
        ("Máy này bảo hành bao lâu ạ", "inquiry", "medium"),
        ("oke chị nha", "unknown", "medium"),
    ],
)
def test_what_can_wait_does_not_ring(text: str, label: str, priority: str) -> None:
    verdict = classify(text)
    assert (verdict.intent_label, verdict.priority) == (label, priority)


@pytest.mark.parametrize(
    "text",
    [
        "đánh giá cao", "Sản phẩm được đánh giá cao", "danh gia cao", "miễn phí", "mien phi", "Sài Gòn", "mưa to quá", "mua to qua",
        "già rồi", "gia công", "gia cong co khi", "giá đỡ", "Cái giá đỡ chắc chắn", "gia đình mình đông vui", "vô giá", "chuyên gia",
    ],
)  # fmt: skip
def test_words_that_only_look_like_a_request_trip_no_rule(text: str) -> None:
    by_rules = judge(text, ask_statistics=False).verdict
    assert by_rules.intent_label in {IntentLabel.UNKNOWN, IntentLabel.ENGAGEMENT}
    assert by_rules.priority is not Priority.HIGH
    verdict = classify(text)
    assert not (verdict.priority is Priority.HIGH and verdict.status == "new_auto"), verdict


@pytest.mark.parametrize(
    "text",
    ["chưa cần báo giá", "Bên anh chưa cần báo giá đâu", "không mua nữa", "thôi không lấy nữa nhé", "đừng gọi cho tôi", "không cần tư vấn",
     "We don't need a quote", "don't call me"],
)  # fmt: skip
def test_a_negated_request_is_not_urgent(text: str) -> None:
    assert classify(text).priority is not Priority.HIGH


@pytest.mark.parametrize("text", ["cho toi bao gia", "gia bao nhieu vay shop", "minh can tu van phan mem"])
def test_common_requests_are_read_without_diacritics(text: str) -> None:
    assert classify(text).priority is Priority.HIGH


@pytest.mark.parametrize("text", ["gia", "gia may", "mua", "bao"])
def test_one_bare_word_says_too_little(text: str) -> None:
    verdict = classify(text)
    assert verdict.intent_label is IntentLabel.UNKNOWN or verdict.confidence_score >= 0.70, verdict


def test_a_text_may_ask_and_thank_and_complain() -> None:
    assert classify("Cảm ơn em, cho anh xin báo giá nhé").intent_label == "inquiry_price"
    assert classify("Sao giao thiếu 3 thùng? Gọi mãi không ai nghe máy").intent_label == "complaint"
    assert classify("Chốt 2 bộ nhé, tổng giá bao nhiêu em").intent_label == "purchase_intent"


def test_contact_details_come_along_whatever_is_asked() -> None:
    verdict = classify("Báo giá giúp mình, số 0912.345.678, mail Lan.Vu@cong-ty-mau.vn")
    assert verdict.intent_label == "inquiry_price"
    assert verdict.phones == ("+84912345678",)
    assert verdict.emails == ("lan.vu@cong-ty-mau.vn",)


def test_the_same_text_gives_the_same_verdict() -> None:
    text = "Shop ơi giá combo 3 bộ bao nhiêu, ib mình, 0912345678 ❤️"
    assert classify(text) == classify(text)
    assert classify(text).rule_pack == f"{packaged_rule_pack().name}+{packaged_model().name}"


def test_only_the_beginning_of_a_document_is_read() -> None:
    filler = "la " * (LONGEST_READ_CHARACTERS // 3 + 1)
    assert classify("báo giá nhé. " + filler).intent_label == "inquiry_price"
    assert classify(filler + "báo giá nhé").intent_label == "unknown"


def test_evidence_stands_in_the_text_as_it_came() -> None:
    text = "  Shop  ơi\u200b, GIÁ\u0301áá thùng này bao nhiêu?"
    for one in classify(text).evidence:
        assert text[one.start : one.end] == one.matched


def test_business_sentences_are_mostly_right_and_automatic_ones_nearly_always() -> None:
    corpus = yaml.safe_load(BUSINESS_SENTENCES.read_text(encoding="utf-8"))
    judged = [(IntentLabel(label), sentence, classify(sentence)) for label, sentences in corpus.items() for sentence in sentences]
    wrong = [f"{label}: {sentence} → {verdict.intent_label}" for label, sentence, verdict in judged if verdict.intent_label is not label]
    automatic = [(label, verdict.intent_label) for label, _, verdict in judged if verdict.status == "new_auto"]
    assert len(wrong) <= 0.1 * len(judged), wrong
    assert sum(label is given for label, given in automatic) >= 0.97 * len(automatic)
    assert len(automatic) >= 0.5 * len(judged)
    assert set(Counter(label for label, _, _ in judged)) == set(PRIORITY_OF)


def test_messages_of_business_customers_are_mostly_right_and_their_confidence_keeps_its_word() -> None:
    """Written by somebody who knew neither the rules nor the sentences that the statistics were fitted on."""
    messages = [one for one in read_labelled_messages(BUSINESS_MESSAGES.open("rb")) if isinstance(one, LabelledMessage)]
    measured = evaluate(messages, judge)
    assert len(messages) == 330
    assert (measured.macro_f1 or 0) >= 0.85
    assert measured.lenient_accuracy >= 0.90
    automatic = measured.lanes["auto"]
    assert (automatic.lenient_precision or 0) >= 0.97
    assert automatic.coverage >= 0.60
    assert measured.ece <= 0.07
