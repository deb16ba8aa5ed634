"""A broken pack is refused as a whole, with everything that is wrong with it."""

from pathlib import Path

import pytest

from lead_signals.intent.classify import classify
from lead_signals.intent.rule_pack import RulePackError, load_rule_pack

GOOD_RULE = """
intent: inquiry_price
rules:
  - rule: asks for a quote
    weight: 0.9
    any_of: ["báo giá"]
    says: ["báo giá nhé"]
    not: ["đánh giá"]
"""


@pytest.fixture
def language(tmp_path: Path) -> Path:
    folder = tmp_path / "testish"
    (folder / "rules").mkdir(parents=True)
    (folder / "language.yaml").write_text("particles: [nhé]\n", encoding="utf-8")
    (folder / "rules" / "price.yaml").write_text(GOOD_RULE, encoding="utf-8")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(RulePackError) as caught:
        load_rule_pack([folder])
    return str(caught.value).splitlines()


def test_a_pack_of_ones_own_decides(language: Path) -> None:
    pack = load_rule_pack([language])
    verdict = classify("cho xin báo giá", pack)
    assert (verdict.intent_label, verdict.confidence_score, verdict.rule_pack) == ("inquiry_price", 0.9, pack.name)
    assert classify("cần tư vấn", pack).intent_label == "unknown"


def test_the_name_changes_with_every_file(language: Path) -> None:
    before = load_rule_pack([language]).name
    assert load_rule_pack([language]).name == before
    (language / "language.yaml").write_text("particles: [nha]\n", encoding="utf-8")
    assert load_rule_pack([language]).name != before


def test_all_mistakes_are_named_at_once(language: Path) -> None:
    (language / "rules" / "broken.yaml").write_text(
        """
intent: inquiry
rules:
  - rule: asks for a quote
    weight: 1.5
    any_of: ["{a|b", "@nowhere"]
    says: [no]
    wieght: 3
  - weight: 0.5
  - rule: has no proof
    weight: 0.5
    any_of: ["giá"]
    at_most_words: 0
    negatable: perhaps
""",
        encoding="utf-8",
    )
    (language / "rules" / "nonsense.yaml").write_text("intent: wishes\nrules: []\n", encoding="utf-8")
    found = problems(language)
    for expected in (
        "rule 'asks for a quote': does not know wieght",
        "rule 'asks for a quote': the name is taken by a rule in",
        "rule 'asks for a quote': weight must be a number between 0 and 1, is 1.5",
        "rule 'asks for a quote': says holds False, which is no text",
        "rule 'asks for a quote': needs `not`",
        "rule 'asks for a quote': any_of: stray",
        "rule 'asks for a quote': any_of: no word set @nowhere",
        "rule number 2: needs a name",
        "rule 'has no proof': needs `says`",
        "rule 'has no proof': at_most_words must be",
        "rule 'has no proof': negatable must be true or false",
        "nonsense.yaml: intent 'wishes' is none of",
    ):
        assert any(expected in line for line in found), (expected, found)
    assert all(line.startswith("testish/") for line in found)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("intent: [", "is no YAML"),
        ("- a list", "must be a mapping"),
        ("intent: inquiry\nintent: thanks\nrules: []\n", "stands twice"),
        ("intent: inquiry\nrules: nothing\n", "must be a list of rules"),
        ("\xff", "must be a mapping"),
    ],
)
def test_a_file_that_is_no_rule_file_is_refused(language: Path, written: str, reason: str) -> None:
    (language / "rules" / "price.yaml").write_text(written, encoding="utf-8")
    assert any(reason in line and "testish/rules/price.yaml" in line for line in problems(language))


def test_bytes_that_are_no_text_are_refused(language: Path) -> None:
    (language / "rules" / "price.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    assert any("testish/rules/price.yaml" in line for line in problems(language))


def test_a_pattern_may_not_hold_what_is_always_written_out(language: Path) -> None:
    (language / "language.yaml").write_text("abbreviations: {bgia: báo giá}\n", encoding="utf-8")
    (language / "rules" / "price.yaml").write_text(GOOD_RULE.replace('"báo giá"]', '"bgia"]', 1), encoding="utf-8")
    assert any("holds bgia, which is read in full" in line for line in problems(language))


def test_a_language_must_exist_and_hold_rules(tmp_path: Path, language: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "nowhere")[0]
    (language / "rules" / "price.yaml").unlink()
    assert "there is no rule" in problems(language)[0]
    with pytest.raises(RulePackError, match="no folder given"):
        load_rule_pack([])
