"""A broken pack is refused as a whole, with everything that is wrong with it."""

import unicodedata
from pathlib import Path

import pytest

from lead_signals.intent.classify import judge
from lead_signals.intent.pack.rule_pack import RulePackError, load_rule_pack, vietnamese_names
from lead_signals.intent.verdict import Verdict

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


def by_rules(text: str, folder: Path) -> Verdict:
    return judge(text, load_rule_pack([folder]), ask_statistics=False).verdict


def test_a_pack_of_ones_own_decides(language: Path) -> None:
    verdict = by_rules("cho xin báo giá", language)
    assert (verdict.intent_label, verdict.confidence_score) == ("inquiry_price", 0.9)
    assert verdict.rule_pack == load_rule_pack([language]).name
    assert by_rules("cần tư vấn", language).intent_label == "unknown"


def test_a_rule_may_have_a_vietnamese_name(language: Path) -> None:
    assert vietnamese_names(load_rule_pack([language])) == {}
    named = GOOD_RULE.replace("weight", "vi: '  xin   báo giá '\n    weight")
    (language / "rules" / "price.yaml").write_text(named, encoding="utf-8")
    assert vietnamese_names(load_rule_pack([language])) == {"asks for a quote": "xin báo giá"}


@pytest.mark.parametrize("name", ["[x]", "''", "12", "no", "a" * 81, '"\\u202e"', "{a: b}"])
def test_a_vietnamese_name_is_a_short_text_that_can_be_seen(language: Path, name: str) -> None:
    (language / "rules" / "price.yaml").write_text(GOOD_RULE.replace("weight", f"vi: {name}\n    weight"), encoding="utf-8")
    (problem,) = problems(language)
    assert problem.startswith("testish/rules/price.yaml:5: rule 'asks for a quote': vi ")


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
        "broken.yaml:8: rule 'asks for a quote': does not know wieght (did you mean 'weight'?)",
        "rule 'asks for a quote': the name is taken by the rule in testish/rules/broken.yaml:4",
        "broken.yaml:5: rule 'asks for a quote': weight must be a number between 0 and 1, is '1.5'",
        "broken.yaml:7: rule 'asks for a quote': says holds 'no', which is no text",
        "broken.yaml:4: rule 'asks for a quote': needs `not`",
        "broken.yaml:6: rule 'asks for a quote': any_of: stray",
        "broken.yaml:6: rule 'asks for a quote': any_of: no word set @nowhere",
        "broken.yaml:9: rule number 2: needs a name",
        "broken.yaml:10: rule 'has no proof': needs `says`",
        "broken.yaml:13: rule 'has no proof': at_most_words must be",
        "broken.yaml:14: rule 'has no proof': negatable must be true or false",
        "nonsense.yaml:1: intent 'wishes' is none of",
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
        ("intent: &i inquiry\nrules: *i\n", "uses an anchor or an alias"),
        ("intent: !!python/name:os.system\n", "uses a tag"),
        ("intent: inquiry\n---\nintent: thanks\n", "begins a second document"),
        ('intent: "\\x1b[2J"\n', "holds the control character U+001B"),
        ("{a: " * 9 + "}" * 9, "goes deeper than 8 levels"),
        ("[" * 200_000, "goes deeper than 8 levels"),
        ("#" * (1024 * 1024 + 1), "has 1048577 bytes, more than 1048576"),
        ("[" + "x," * 70_000 + "]", "holds more than 60000 values"),
        ("1: 2\n", "the key '1' is no text"),
    ],
)
def test_a_file_that_is_no_rule_file_is_refused(language: Path, written: str, reason: str) -> None:
    (language / "rules" / "price.yaml").write_text(written, encoding="utf-8")
    assert any(reason in line and "testish/rules/price.yaml" in line for line in problems(language))


def test_a_mistake_in_the_grammar_names_its_line(language: Path) -> None:
    (language / "rules" / "price.yaml").write_text("intent: inquiry\nrules:\n  - rule: a\n   weight: 1\n", encoding="utf-8")
    assert problems(language)[0].startswith("testish/rules/price.yaml:4: is no YAML: ")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("[]", "@NAME needs at least one word"),
        ("[12]", "@NAME holds '12', which is no text"),
        ("['{a|b}']", "a word set lists plain words, and no patterns"),
        ("['@unit']", "a word set lists plain words, and no patterns"),
        ("['a\u200bb']", "@NAME holds the unseen character U+200B"),
        ("hộp", "@NAME must be a list of texts, is 'hộp'"),
    ],
)
def test_a_word_set_holds_plain_words(language: Path, words: str, reason: str) -> None:
    (language / "language.yaml").write_text(f"word_sets:\n  unit: {words}\n", encoding="utf-8")
    (problem,) = problems(language)
    assert problem.startswith("testish/language.yaml:2: word_sets: ")
    assert reason.replace("@NAME", "unit") in problem


def test_a_pack_has_a_size(language: Path) -> None:
    many = "{" + "|".join(f"a{letter} b" for letter in "bcdefghijkmnopqrstuv") + "}"
    patterns = "".join(f"      - '{many} {many} n{number}'\n" for number in range(300))
    (language / "rules" / "price.yaml").write_text(GOOD_RULE.replace('["báo giá"]', "\n" + patterns, 1), encoding="utf-8")
    (problem,) = problems(language)
    assert "with this wording all together spell out to more than 100000 paths" in problem


def test_words_are_composed_and_sentences_stay_as_they_are_typed(language: Path) -> None:
    decomposed = unicodedata.normalize("NFD", GOOD_RULE)
    (language / "rules" / "price.yaml").write_text(decomposed, encoding="utf-8")
    (rule,) = load_rule_pack([language]).rules
    assert rule.any_of == ("báo giá",)
    assert rule.says == (unicodedata.normalize("NFD", "báo giá nhé"),)


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
