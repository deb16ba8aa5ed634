"""The reason is visible in the text: what spoke, what was kept silent, what the statistics said, who decided."""

import json
from pathlib import Path

import pytest

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS, classify
from lead_signals.intent.explaining.explain import Explanation, explain
from lead_signals.intent.explaining.explanation_json import explanation_json
from lead_signals.intent.explaining.find_silenced import Silencer
from lead_signals.intent.explaining.render_explanation import marked_text, render_explanation
from lead_signals.intent.own_rules.tenant_rules import read_tenant_rules, rule_pack_with
from lead_signals.intent.pack.rule_pack import RulePack, load_rule_pack, packaged_rule_pack

LANGUAGE = """
particles: [ơi, ạ]
idioms: [giá đỡ]
negators: [không, chưa]
"""
RULES = """
intent: inquiry_price
rules:
  - rule: names a price
    vi: nhắc tới giá
    weight: 0.9
    any_of: ["giá"]
    unlike: ["đánh giá"]
    unless: ["{mẫu|bản} thử"]
    at_most_words: 8
    says: [giá]
    not: [đánh giá]
  - rule: names money beside a thing
    weight: 0.6
    any_of: ["#money"]
    only_with: ["tủ"]
    says: [tủ 50k]
    not: [50k]
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    folder: Path = tmp_path_factory.mktemp("packs") / "small"
    (folder / "rules").mkdir(parents=True)
    (folder / "language.yaml").write_text(LANGUAGE, encoding="utf-8")
    (folder / "rules" / "price.yaml").write_text(RULES, encoding="utf-8")
    return load_rule_pack([folder])


def lines_of(explanation: Explanation) -> str:
    return "\n".join(render_explanation(explanation))


def test_the_deciding_words_are_marked(pack: RulePack) -> None:
    explanation = explain("Shop ơi, giá máy phay ạ, 50k", pack)
    assert explanation.decided_by == "rules"
    assert marked_text(explanation) == "Shop ơi, ⟦giá⟧ máy phay ạ, 50k"
    assert [label for label, _ in explanation.scores] == ["inquiry_price"]


def test_the_lines_tell_the_whole_story() -> None:
    text = "Báo giá giúp anh nhé, 0912 345 678"
    verdict = classify(text)
    assert verdict.intent_label == "inquiry_price"
    told = lines_of(explain(text))
    for expected in (
        f"inquiry_price  {verdict.confidence_score:.3f}  priority high  lane {verdict.status} (",
        "decided by rules, because: ",
        *(f"{one.weight:.3f}  {one.rule}" for one in verdict.evidence),
        *(f"“{one.matched}” ({one.start}–{one.end})" for one in verdict.evidence),
        "contact: +84912345678",
        f"rule pack {verdict.rule_pack}",
    ):
        assert expected in told, told


def test_the_three_likeliest_by_the_statistics_and_the_words_that_moved_them(pack: RulePack) -> None:
    explanation = explain("Chốt cho em hai thùng nước mắm nha", pack)
    assert explanation.scores == ()
    assert explanation.decided_by == "statistics"
    assert explanation.statistics is not None
    likeliest = explanation.statistics.likeliest
    assert likeliest[0][0] is explanation.verdict.intent_label
    assert [probability for _, probability in likeliest] == sorted((probability for _, probability in likeliest), reverse=True)
    assert len(likeliest) == 3
    moved = explanation.statistics.moved_by
    assert moved
    assert 0 < sum(one.weight for one in moved) <= 1.001
    assert set(explanation.marks) == {(one.start, one.end) for one in moved}
    told = lines_of(explanation)
    assert "rules: none spoke" in told
    assert "decided by statistics" in told
    for one in moved:
        assert f"{one.weight:.3f}  of what spoke for {one.intent_label}: “{one.matched}”" in told


def test_statistics_are_told_beside_rules_that_decided() -> None:
    explanation = explain("Cho tôi báo giá máy CNC")
    assert explanation.decided_by == "rules"
    assert explanation.statistics is not None
    assert explanation.statistics.moved_by
    assert all(one.rule != "statistical opinion" for one in explanation.spoke)


@pytest.mark.parametrize(
    ("text", "rule", "silencer", "by"),
    [
        ("chưa hỏi giá", "names a price", Silencer.NEGATION, "chưa"),
        ("mua giá đỡ", "names a price", Silencer.IDIOM, "giá đỡ"),
        ("đánh giá", "names a price", Silencer.UNLIKE, "đánh giá"),
        ("gửi bản thử kèm giá", "names a price", Silencer.UNLESS, "bản thử"),
        ("một hai ba bốn năm sáu bảy tám giá", "names a price", Silencer.TOO_LONG, None),
        ("bàn 50k", "names money beside a thing", Silencer.ONLY_WITH, None),
        ("không đánh giá", "names a price", Silencer.SEVERAL, None),
    ],
)
def test_what_kept_a_rule_silent_is_told(pack: RulePack, text: str, rule: str, silencer: Silencer, by: str | None) -> None:
    explanation = explain(text, pack)
    (silenced,) = explanation.silenced
    assert (silenced.would_say.rule, silenced.silencer) == (rule, silencer)
    assert (None if silenced.by is None else text[silenced.by[0] : silenced.by[1]]) == by
    assert f"{rule}" in lines_of(explanation)
    assert silencer.value in lines_of(explanation)


def test_a_packaged_rule_that_a_tenant_turned_off_is_told_as_such() -> None:
    text = "Bảng báo giá?"
    name = explain(text).spoke[0].rule
    explanation = explain(text, with_own(f"silence: [{json.dumps(name)}]"))
    (turned_off,) = (one for one in explanation.silenced if one.silencer is Silencer.TURNED_OFF)
    assert (turned_off.would_say.rule, turned_off.by) == (name, None)


def test_a_packaged_rule_that_a_tenants_words_silence_is_not_told_as_turned_off() -> None:
    spoke = {one.rule for one in explain("báo giá").spoke}
    other = next(rule.name for rule in packaged_rule_pack().rules if rule.name not in spoke)
    own = with_own(f"silence: [{json.dumps(other)}]\nidioms: [báo giá thể]\nnegators: [zzno]")
    silencers = {one.silencer for one in explain("zzno báo giá thể", own).silenced}
    assert Silencer.SEVERAL in silencers
    assert Silencer.TURNED_OFF not in silencers


def with_own(rules: str) -> RulePack:
    return rule_pack_with(read_tenant_rules(f"{rules}\nrules: []\n", "own.yaml"))


def test_of_two_negations_the_one_before_the_words_is_named(pack: RulePack) -> None:
    text = "không, em chưa hỏi giá, không ạ"
    (silenced,) = explain(text, pack).silenced
    assert silenced.by == (text.index("chưa"), text.index("chưa") + 4)


def test_a_rule_that_spoke_is_not_told_as_silent(pack: RulePack) -> None:
    explanation = explain("giá ơi, chưa hỏi giá", pack)
    assert [one.rule for one in explanation.spoke] == ["names a price"]
    assert explanation.silenced == ()


def test_the_vietnamese_name_stands_beside_the_rule(pack: RulePack) -> None:
    assert "names a price (nhắc tới giá): “giá” (0–3)" in lines_of(explain("giá?", pack))
    assert explain("tủ 50k", pack).vietnamese_names == {}


def test_nothing_found_is_said_so() -> None:
    told = lines_of(explain(""))
    assert "decided by rules, because: there is no word in it" in told
    assert "rules: none spoke" in told
    assert "statistics:" not in told


def test_a_text_cannot_steer_the_terminal() -> None:
    lines = render_explanation(explain("\x1b[2J\x07 báo giá\r\n\u202e chưa\x1b[1m cần báo giá 0912345678"))
    assert len(lines) > 5
    assert all(line.isprintable() for line in lines)


def test_of_a_long_text_the_beginning_is_read_and_that_is_told() -> None:
    text = "báo giá " * 2_000
    explanation = explain(text)
    assert explanation.read_characters == LONGEST_READ_CHARACTERS
    assert all(end <= LONGEST_READ_CHARACTERS for _, end in explanation.marks)
    assert "read: the first 8,192 of 16,000 characters" in lines_of(explanation)


@pytest.mark.parametrize(
    "text", ["Shop 😀 ơi, giá máy e\u0301p bao nhiêu, chưa cần báo giá\x00", "", "<b>giá</b> bao nhiêu 0912345678 a@b.vn"]
)
def test_json_marks_by_places_and_agrees_with_classify(text: str) -> None:
    told = json.loads(json.dumps(explanation_json(explain(text))))
    verdict = classify(text)
    assert (told["text"], told["intent_label"], told["confidence_score"], told["status"], told["rule_pack"]) == (
        *(text, verdict.intent_label, verdict.confidence_score, verdict.status, verdict.rule_pack),
    )
    assert (told["phones"], told["emails"]) == ([*verdict.phones], [*verdict.emails])
    placed = [*told["rules"], *told["silenced"], *(told["statistics"] or {"moved_by": []})["moved_by"]]
    placed += [one["silenced_by"] for one in told["silenced"] if one["silenced_by"]]
    for one in placed:
        assert text[one["start"] : one["end"]] == one["matched"]
    for one, after in zip(told["marks"], told["marks"][1:], strict=False):
        assert one["start"] < one["end"] < after["start"] or one["end"] <= after["start"]


def test_json_names_the_silencer_in_one_word(pack: RulePack) -> None:
    (silenced,) = explanation_json(explain("chưa hỏi giá", pack))["silenced"]
    assert silenced == {
        "rule": "names a price",
        "vietnamese_name": "nhắc tới giá",
        "intent_label": "inquiry_price",
        "weight": 0.9,
        "matched": "giá",
        "start": 9,
        "end": 12,
        "silencer": "negation",
        "silenced_by": {"matched": "chưa", "start": 0, "end": 4},
    }
