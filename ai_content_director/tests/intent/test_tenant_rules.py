"""A tenant's own rules: what they change, for whom, and what is refused. Names, products and sentences are invented."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lead_signals.intent.classify import classify, judge
from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.own_rules.several_trees import SeveralTrees
from lead_signals.intent.own_rules.tenant_rules import changed_packaged_sentences, read_tenant_rules, rule_pack_with
from lead_signals.intent.pack import read_fields
from lead_signals.intent.pack.rule_pack import RulePack, RulePackError, packaged_rule_pack, vietnamese_names
from lead_signals.intent.patterns import pattern_states
from lead_signals.intent.patterns.pattern import read_pattern
from lead_signals.intent.patterns.pattern_walk import STEPS_PER_TEXT, STEPS_PER_TOKEN, PatternTree, RunsAway
from lead_signals.intent.verdict import Verdict
from lead_signals.rule_packs.compile_pack import compile_pack

GUIDE = Path(__file__).parents[3] / "docs" / "rule_packs.md"
TAKEN = packaged_rule_pack().rules[0].name
OWN_RULE = """\
rules:
  - rule: names our machine
    vi: gọi tên máy
    intent: purchase_intent
    weight: 0.9
    any_of: ["{cần|lấy} ~2 máy zuka"]
    says: [Lấy 2 máy zuka]
    not: [Máy zuka êm thật]
"""


def pack_of(content: str | bytes) -> RulePack:
    return rule_pack_with(read_tenant_rules(content, "own.yaml"))


def by_rules(text: str, pack: RulePack | None = None) -> Verdict:
    return judge(text, pack, ask_statistics=False).verdict


def speaking(text: str, pack: RulePack | None = None) -> set[str]:
    return {one.rule for one in by_rules(text, pack).evidence}


def problems(content: str | bytes) -> list[str]:
    with pytest.raises(RulePackError) as caught:
        pack_of(content)
    return str(caught.value).splitlines()


# ---- what they change ----


def test_a_rule_of_ones_own_speaks_beside_the_packaged_ones() -> None:
    pack = pack_of(OWN_RULE)
    assert by_rules("mình cần 3 máy zuka", pack).intent_label == "purchase_intent"
    assert "names our machine" not in speaking("mình cần 3 máy zuka")
    assert by_rules("Cho tôi báo giá", pack).evidence == by_rules("Cho tôi báo giá").evidence != ()
    assert vietnamese_names(pack)["names our machine"] == "gọi tên máy"


def test_words_added_to_a_set_are_seen_by_the_packaged_rules() -> None:
    said = "hai khuôn zuka"
    pack = pack_of("word_sets:\n  unit: [khuôn zuka]\n")
    assert by_rules(said).intent_label == "unknown"
    assert by_rules(said, pack).intent_label == "purchase_intent"
    assert by_rules("Lấy cho anh hai thùng", pack).evidence == by_rules("Lấy cho anh hai thùng").evidence != ()


def test_a_set_of_ones_own_holds_the_words_of_all_languages_and_ones_own() -> None:
    rule = OWN_RULE.replace("máy zuka", "@{}", 1)
    for name, words, said in (
        ("machine", "[zuka, máy zuka]", "lấy máy zuka"),
        ("unit", "[máy zuka]", "lấy pallets"),
        ("unit", "[máy zuka]", "lấy thùng"),
    ):
        pack = pack_of(f"word_sets:\n  {name}: {words}\n" + rule.replace("@{}", f"@{name}"))
        assert "names our machine" in speaking(said, pack), said


def test_an_abbreviation_is_written_out_for_all_rules() -> None:
    pack = pack_of("abbreviations:\n  bgz: báo giá\n" + OWN_RULE)
    assert by_rules("cho tôi bgz", pack).intent_label == "inquiry_price"
    assert by_rules("cho tôi bgz").evidence == ()


def test_idioms_negators_and_particles_are_those_of_the_language_and_ones_own() -> None:
    assert speaking("Cho tôi báo giá") != set()
    assert speaking("Cho tôi báo giá vàng zuka", pack_of("idioms: [báo giá vàng zuka]\n")).isdisjoint(speaking("Cho tôi báo giá"))
    assert by_rules("thôi chớ báo giá", pack_of("negators: [chớ]\n")).evidence == ()
    assert by_rules("thôi chớ báo giá").evidence != ()
    opening = OWN_RULE.replace('"{cần|lấy} ~2 máy zuka"', '"^máy zuka$", lấy 2 máy zuka').replace("not: [Máy", "not: [Thì máy")
    assert speaking("zukơi máy zuka", pack_of(opening)) == set()
    assert speaking("zukơi máy zuka", pack_of("particles: [zukơi]\n" + opening)) == {"names our machine"}


def test_a_silenced_rule_never_speaks_and_its_neighbours_do() -> None:
    said = packaged_rule_pack().rules[0].says[0]
    pack = pack_of(f"silence: ['{TAKEN}']\n")
    assert TAKEN in speaking(said)
    assert speaking(said, pack) == speaking(said) - {TAKEN}
    assert not [failed for failed in changed_packaged_sentences(pack) if failed.rule == TAKEN]


def test_nothing_of_it_reaches_another_tenant_or_the_packaged_rules() -> None:
    said = ["mình cần 3 máy zuka", "hai khuôn zuka", "cho tôi bgz", "Cho tôi báo giá"]
    before = [classify(text) for text in said]
    first = pack_of(f"word_sets: {{unit: [khuôn zuka]}}\nabbreviations: {{bgz: báo giá}}\nsilence: ['{TAKEN}']\n" + OWN_RULE)
    for text in said:
        classify(text, first)
    assert [classify(text) for text in said] == before
    second = pack_of("particles: [zukơi]\n")
    assert [judge(text, second, ask_statistics=False).verdict.evidence for text in said] == [by_rules(text).evidence for text in said]


def test_the_name_tells_whose_rules_and_changes_with_every_byte() -> None:
    names = {pack_of(content).name for content in (OWN_RULE, OWN_RULE + "\n", OWN_RULE + "# a word\n", OWN_RULE.encode())}
    assert len(names) == 3
    assert all(re.fullmatch(re.escape(packaged_rule_pack().name) + r"\+own\.yaml-[0-9a-f]{10}", name) for name in names)


def test_packaged_sentences_that_come_out_otherwise_are_told_and_not_refused() -> None:
    pack = pack_of("abbreviations: {báo: bực}\n")
    changed = changed_packaged_sentences(pack)
    assert changed
    assert all(str(one).startswith(("vietnamese/rules/", "english/rules/")) for one in changed)
    assert changed_packaged_sentences(pack_of(OWN_RULE)) == []


def test_the_guide_shows_a_file_that_can_be_used() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    pack = pack_of(blocks[1])
    assert by_rules("Bên em có nhận chấn tôn theo bản vẽ không", pack).intent_label == "inquiry"
    assert changed_packaged_sentences(pack) == []


# ---- what is refused ----


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    found = problems(
        """\
word_set: {a: [b]}
word_sets:
  unit: [sp, "..."]
silence: [TAKENS]
rules:
  - rule: one
    intent: wishes
    weight: 2
    any_of: ["{a|}", "@nowhere", "giá ~99 sao", "ib"]
    says: [x]
    not: [y]
  - rule: one
    intent: inquiry
    weight: 0.5
    any_of: [zuka]
    says: [zuka]
    not: [giá]
  - rule: lead_form
    intent: inquiry
    weight: 0.5
    any_of: [zuka]
    says: [zuka]
    not: [giá]
  - rule: TAKEN
    intent: inquiry
""".replace("TAKEN", TAKEN)
    )
    for expected in (
        "own.yaml:1: does not know word_set (did you mean 'word_sets'?)",
        "own.yaml:3: word_sets: unit holds 'sp': sp is read in full",
        "own.yaml:3: word_sets: unit holds '...', which has no word in it",
        f"own.yaml:4: silence: there is no packaged rule '{TAKEN}S' (did you mean '{TAKEN}'?)",
        "own.yaml:7: rule 'one': intent 'wishes' is none of spam",
        "own.yaml:8: rule 'one': weight must be a number between 0 and 1, is '2'",
        "own.yaml:9: rule 'one': any_of: empty alternative",
        "own.yaml:9: rule 'one': any_of: no word set @nowhere",
        "own.yaml:9: rule 'one': any_of: '~99' in 'giá ~99 sao': a gap is ~1 to ~8",
        "own.yaml:9: rule 'one': any_of: 'ib' holds ib, which is read in full",
        "own.yaml:12: rule 'one': the name is taken by the rule in own.yaml:6",
        "own.yaml:18: rule 'lead_form': the name is taken by the product itself",
        f"own.yaml:24: rule '{TAKEN}': the name is taken by the rule in vietnamese/rules/",
        f"own.yaml:24: rule '{TAKEN}': needs `any_of`",
    ):
        assert any(line.startswith(expected) for line in found), (expected, found)


def test_a_rule_whose_sentences_do_not_come_out_is_refused() -> None:
    assert problems(OWN_RULE.replace("says: [Lấy 2 máy zuka]", "says: [Lấy 2 máy zuka, Máy zoka]")) == [
        "own.yaml:7: rule 'names our machine': does not find its own sentence (no other rule speaks): 'Máy zoka'"
    ]
    assert problems(OWN_RULE.replace("Máy zuka êm thật", "Cần máy zuka"))[0].startswith(
        "own.yaml:8: rule 'names our machine': finds 'Cần máy zuka' in a sentence it must leave alone"
    )


def letters(number: int) -> str:
    return "z" + "".join(("ba", "be", "bi", "bo", "bu", "ca", "ce", "ci", "co", "cu")[int(digit)] for digit in str(number))


def listed(count: int, text: Callable[[int], str]) -> str:
    """A YAML list of so many texts."""
    return "[" + ", ".join(text(number) for number in range(count)) + "]"


def many_rules(count: int, any_of: Callable[[int], str]) -> str:
    """Rules whose sentence begins with letters of their own."""
    lines = (
        f"- {{rule: r{number}, intent: inquiry, weight: 0.9, any_of: {any_of(number)}, says: ['{letters(number)} a'], not: [y]}}\n"
        for number in range(count)
    )
    return "rules:\n" + "".join(lines)


HOSTILE: dict[str, Callable[[], str | bytes]] = {
    "nothing": lambda: "",
    "an empty mapping": lambda: "{}",
    "no UTF-8": lambda: b"\xff\xfe\x00",
    "half a sign": lambda: "silence: ['\ud800']",
    "a bomb of aliases": lambda: "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
    "a constructor": lambda: "a: !!python/object/apply:os.system ['true']\n",
    "a million brackets": lambda: "[" * 1_000_000,
    "deep mappings": lambda: "{a: " * 200_000,
    "two megabytes": lambda: "#" * 2_000_000,
    "a number without end": lambda: OWN_RULE.replace("0.9", "1" + "0" * 50_000),
    "a control character": lambda: OWN_RULE.replace("gọi tên máy", '"\\x1b]0;x\\x07"'),
    "a name that turns around": lambda: OWN_RULE.replace("names our machine", '"\\u202egpj.exe"'),
    "patterns without end": lambda: OWN_RULE.replace("máy zuka", "{a b|c d|e f|g h|i j}" * 20, 1),
    "a pattern of ten thousand words": lambda: OWN_RULE.replace("máy zuka", "zuka " * 10_000, 1),
    "sets upon sets": lambda: (
        f"word_sets:\n  zuka: {listed(1_900, letters)}\n" + many_rules(250, lambda _: listed(20, lambda _: '"' + "@zuka " * 24 + '"'))
    ),
    "a set that packaged rules cannot bear": lambda: f"word_sets:\n  unit: {listed(1_900, lambda number: letters(number) + ' zuka')}\n",
    "too many rules": lambda: many_rules(501, lambda number: f"['{letters(number)}']"),
    "too many sentences": lambda: OWN_RULE.replace("[Lấy 2 máy zuka]", "[" + "Lấy 2 máy zuka, " * 2_001 + "]"),
    "sentences that all fail": lambda: OWN_RULE.replace("[Lấy 2 máy zuka]", "[" + "Lấy 2, " * 1_999 + "]"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_files_are_refused_with_a_few_lines_that_can_be_printed(kind: str) -> None:
    found = problems(HOSTILE[kind]())
    assert 1 <= len(found) <= 201
    assert all(line.startswith(("own.yaml:", "… and ")) and line.isprintable() and len(line) < 1_000 for line in found), found[:3]


def test_what_proving_costs_is_bounded_and_told_with_its_line() -> None:
    many = OWN_RULE.replace("says: [Lấy 2 máy zuka]", "says:\n" + "      - Lấy 2 máy zuka\n" * 2_000)
    assert problems(many) == ["own.yaml:2009: with this sentence its rules hold more than 2000, 2001 in all; take some out"]
    long = OWN_RULE.replace("Lấy 2 máy zuka", "Lấy 2 máy zuka " + "x" * 286)
    assert problems(long) == ["own.yaml:7: a sentence of 301 characters; at most 300, shorten it to what the rule is about"]
    pack_of(OWN_RULE.replace("Lấy 2 máy zuka", "Lấy 2 máy zuka " + "x" * 285))


def test_what_was_meant_is_not_looked_for_once_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    near = read_fields.get_close_matches

    def count(word: str, *rest: Any, **named: Any) -> list[str]:
        asked.append(word)
        return near(word, *rest, **named)

    monkeypatch.setattr(read_fields, "get_close_matches", count)
    assert problems(f"silence: {listed(1_000, letters)}\n")[-1] == "… and 800 more"
    assert len(asked) == 200


@pytest.mark.parametrize(
    "name",
    [
        "statistical opinion",
        "Statistical  Opinion",
        "st\u0430tistical opinion",
        "LEAD_FORM",
        "lead form",
        "Language-Model",
        "languagé model",
    ],
)
def test_no_rule_passes_for_what_speaks_beside_rules(name: str) -> None:
    assert problems(OWN_RULE.replace("names our machine", name)) == [
        f"own.yaml:2: rule {name.replace('  ', ' ')!r}: the name is taken by the product itself; choose another"
    ]


# ---- what they may cost ----


def test_wordings_that_run_away_are_refused_with_their_lines_also_where_no_rule_speaks_by_them() -> None:
    own = OWN_RULE + "    unlike: [gia ~8 gia ~8 gia]\nidioms: [nha ~8 nha ~8 nha]\n"
    with pytest.raises(RulePackError) as caught:
        compile_pack(own, "own.yaml")
    first, second = sorted(str(caught.value).splitlines())
    assert first.startswith("own.yaml:10: idioms: 'nha ~8 nha ~8 nha' its gaps can be passed in 81 ways")
    assert second.startswith("own.yaml:9: rule 'names our machine': unlike: 'gia ~8 gia ~8 gia' its gaps can be passed in 81 ways")


def test_a_text_on_which_own_rules_run_away_is_read_by_the_packaged_ones_whatever_is_remembered() -> None:
    own = "rules:\n" + "".join(
        f"- {{rule: r{number}, intent: spam, weight: 0.9, any_of: [gia ~8 gia ~8 gia], says: [gia gia gia], not: [y]}}\n"
        for number in range(20)
    )
    text = "Cho tôi báo giá. " + "gia " * 1_000
    expected = by_rules(text)
    for _ in range(2):
        pack = compile_pack(own, "own.yaml", is_stored=True)
        assert isinstance(pack.tree, SeveralTrees)
        for time in (1, 2):
            assert by_rules(text, pack).evidence == expected.evidence != ()
            assert pack.tree.ran_away == time
        assert len(by_rules("gia gia gia", pack).evidence) >= 20
        assert pack.tree.ran_away == 2


def test_the_packaged_rules_are_never_cut_off() -> None:
    tokens = fold_text("Cho tôi báo giá, còn hàng không shop? " * 300)
    assert len(packaged_rule_pack().tree.walk(tokens, 0, len(tokens))) > 300


@pytest.mark.parametrize("finds", [True, False])
def test_a_walk_over_strangers_patterns_takes_a_bounded_number_of_steps(monkeypatch: pytest.MonkeyPatch, finds: bool) -> None:
    """Also where nothing is found: each wording has words of its own, and a text of two kinds of words never takes the same way twice."""
    last = "gia" if finds else "zuka"
    wordings = [f"gia ~8 {{gia|{letters(number)}}} ~8 {{{last}|{letters(number)}}}" for number in range(300)]
    tree = PatternTree(((number, path) for number, text in enumerate(wordings) for path in read_pattern(text, {})), is_bounded=True)
    worked_out = 0
    reach = pattern_states._reach

    def count(*arguments: Any) -> None:
        nonlocal worked_out
        worked_out += 1
        reach(*arguments)

    monkeypatch.setattr(pattern_states, "_reach", count)
    tokens = fold_text(" ".join("gia" if number * number % 7 < 3 else "x" for number in range(1_000)))
    with pytest.raises(RunsAway):
        tree.walk(tokens, 0, len(tokens))
    assert 0 < worked_out < 5 * (STEPS_PER_TEXT + STEPS_PER_TOKEN * len(tokens))


def test_a_large_file_that_keeps_the_limits_is_used() -> None:
    pack = pack_of(many_rules(400, lambda number: f"['{letters(number)} {{a|b c|d e}} [f] [g]']"))
    assert speaking(f"{letters(399)} b c g", pack) == {"r399"}
