"""The lint on packs with one fault each: found by its kind, line and pattern; and nothing found where nothing is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from lead_signals.intent.lint.covered_path import CoveringPaths, always_holds
from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.lint_paths import lint_paths
from lead_signals.intent.lint.lint_rules import lint_rules
from lead_signals.intent.pack import rule_pack
from lead_signals.intent.pack.rule_pack import load_rule_pack, packaged_rule_pack
from lead_signals.intent.patterns.pattern import read_pattern

LANGUAGE = "particles: [nhé]\nabbreviations: {bgia: báo giá}\nnegators: [chưa]\n"
SOUND = """\
intent: inquiry_price
rules:
  - rule: asks for a quote
    weight: 0.9
    any_of:
      - báo giá
    says: [báo giá nhé]
    not: [chào shop]
"""


def linted(folder: Path, price: str, **others: str) -> list[Finding]:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "language.yaml").write_text(LANGUAGE, encoding="utf-8")
    for name, content in {"price": price, **others}.items():
        (folder / "rules" / f"{name}.yaml").write_text(content, encoding="utf-8")
    return lint_rules(load_rule_pack([folder]))


def told(findings: list[Finding]) -> list[tuple[str, int, str]]:
    return [(one.kind.value, one.place.line, one.pattern) for one in findings]


def with_pattern(pattern: str, *, more: str = "") -> str:
    return SOUND.replace("      - báo giá\n", f"      - báo giá\n      - '{pattern}'\n{more}")


def test_sound_rules_have_no_findings(tmp_path: Path) -> None:
    assert linted(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    ("pattern", "conditions", "reason"),
    [
        ("xin giá hộp", "    unless: [giá hộp]\n", "its own `unless` always silences it"),
        ("xin giá hộp", "    unlike: ['giá {hộp|thùng}']\n", "its own `unlike` always silences it"),
        ("xin ~2 giá hộp", "    unlike: ['xin ~3 giá']\n", "its own `unlike` always silences it"),
        ("^xin giá$", "    unless: ['^xin giá']\n", "its own `unless` always silences it"),
        ("xin giá hộp lớn", "    at_most_words: 3\n", "it needs 4 words, and at_most_words is 3"),
        ("#number {triệu|nghìn} tiền", "", "a number before 'nghìn' or 'triệu' is read as #money"),
        ("hộp", "    only_with: [xin giá, cho giá]\n    unless: ['{xin|cho} giá']\n", "whatever `only_with` asks for, `unless` silences"),
    ],
)
def test_what_can_never_speak_is_dead(tmp_path: Path, pattern: str, conditions: str, reason: str) -> None:
    alone = conditions.count("only_with")
    rules = with_pattern(pattern, more=conditions) if not alone else SOUND.replace("báo giá\n", f"{pattern}\n{conditions}", 1)
    (finding,) = [one for one in linted(tmp_path, rules) if one.kind is not FindingKind.UNPROVEN]
    assert (finding.kind, finding.rule, finding.pattern) == ("dead", "asks for a quote", pattern)
    assert finding.place.line == (6 if alone else 7)
    assert reason in finding.advice
    assert finding.is_error


@pytest.mark.parametrize(
    ("pattern", "conditions"),
    [
        ("xin giá hộp", "    unless: [giá thùng]\n"),
        ("xin {giá|bảng} hộp", "    unless: [giá hộp]\n"),  # by one of its words it lives
        ("xin giá", "    unless: ['^xin giá$']\n"),  # not where the text says more
        ("xin giá hộp", "    unless: [hộp]\n"),  # one word, typed without its diacritics, silences nothing
        ("xin ~2 hộp", "    unlike: ['xin ~1 hộp']\n"),
        ("xin [cái] giá [hộp] [lớn]", "    at_most_words: 3\n"),
    ],
)
def test_what_may_still_speak_lives(tmp_path: Path, pattern: str, conditions: str) -> None:
    found = linted(tmp_path, with_pattern(pattern, more=conditions))
    assert told(found) == [("unproven", 7, pattern)]


def test_what_a_sentence_uses_is_alive_whatever_it_looks_like(tmp_path: Path) -> None:
    found = linted(
        tmp_path, with_pattern("xin giá hộp", more="    unless: [hộp to]\n").replace("[báo giá nhé]", "[báo giá nhé, xin giá hộp]")
    )
    assert found == []


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("xin giá", "xin giá"),
        ("xin giá", "xin {giá|phí}"),
        ("xin {giá|phí}", "[cho] xin {giá|phí|bảng giá}"),
        ("xin ~2 giá", "xin ~3 giá"),
        ("xin giá", "xin ~3 giá"),
        ("^xin giá$", "xin giá"),
        ("^giá$", "^giá ~4$"),
    ],
)
def test_what_another_wording_of_the_rule_always_fits_is_shadowed(tmp_path: Path, narrow: str, wide: str) -> None:
    rules = SOUND.replace("      - báo giá\n", f"      - '{wide}'\n      - '{narrow}'\n").replace("báo giá nhé", "xin giá, giá")
    (finding,) = [one for one in linted(tmp_path, rules) if one.kind is FindingKind.SHADOWED]
    assert (finding.place.line, finding.pattern) == (7, narrow)
    assert f"{wide!r} in {tmp_path.name}/rules/price.yaml:6" in finding.advice
    assert not finding.is_error


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("xin giá", "xin giá hộp"),  # ends elsewhere, so it is another match
        ("xin {giá|phí}", "xin giá"),
        ("xin ~3 giá", "xin ~2 giá"),
        ("xin giá", "^xin giá"),
        ("xin giá", "xin giá$"),
        ("xin cái giá", "xin ~2 giá"),  # a word that is told apart from a gap
        ("xin 5", "xin #number"),
    ],
)
def test_what_another_wording_does_not_always_fit_is_not(tmp_path: Path, one: str, other: str) -> None:
    rules = SOUND.replace("      - báo giá\n", f"      - '{other}'\n      - '{one}'\n").replace("báo giá nhé", "xin giá hộp")
    shadowed = [found.pattern for found in linted(tmp_path, rules.replace("báo giá", "xin giá")) if found.kind is FindingKind.SHADOWED]
    assert one not in shadowed


def second_rule(conditions: str, weight: float = 0.9) -> str:
    wordings = "    any_of: ['xin {báo giá|bảng giá}']\n    says: [xin bảng giá]\n    not: [a]\n"
    return f"{SOUND}  - rule: asks again\n    weight: {weight}\n{wordings}{conditions}"


@pytest.mark.parametrize(
    ("conditions", "weight", "shadowed"),
    [
        ("", 0.9, True),
        ("    negatable: false\n", 0.95, True),
        ("", 0.8, False),
        ("    unless: [zuka]\n", 0.9, False),
        ("    unlike: [zuka]\n", 0.9, False),
        ("    only_with: [bảng]\n", 0.9, False),
        ("    at_most_words: 9\n", 0.9, False),
    ],
)
def test_a_rule_shadows_another_only_under_conditions_no_tighter(tmp_path: Path, conditions: str, weight: float, shadowed: bool) -> None:
    rules = second_rule(conditions, weight).replace("      - báo giá\n", "      - xin báo giá\n").replace("báo giá nhé", "xin báo giá")
    assert [one.pattern for one in linted(tmp_path, rules) if one.kind is FindingKind.SHADOWED] == (["xin báo giá"] if shadowed else [])


def test_all_that_is_shadowed_may_be_taken_out_together(tmp_path: Path) -> None:
    rules = SOUND.replace("      - báo giá\n", "      - báo giá\n      - báo giá\n      - '{báo giá}'\n")
    assert told(linted(tmp_path, rules)) == [("shadowed", 7, "báo giá"), ("shadowed", 8, "{báo giá}")]


OTHER = SOUND.replace("inquiry_price", "complaint").replace("asks for a quote", "complains").replace("báo giá nhé", "báo giá gì thế")


@pytest.mark.parametrize(
    ("other", "conflicting"),
    [
        (OTHER, [("price", "báo giá"), ("wrath", "báo giá")]),
        (OTHER.replace("0.9", "0.86"), [("price", "báo giá"), ("wrath", "báo giá")]),
        (OTHER.replace("- báo giá", "- '{báo|bảng} giá'"), [("price", "báo giá")]),
        (OTHER.replace("0.9", "0.8"), []),
        (OTHER.replace("- báo giá", "- báo giá gì"), []),
        (OTHER.replace("    says", "    only_with: [gì thế]\n    says"), []),
    ],
)
def test_what_decides_for_two_intents_is_conflicting(tmp_path: Path, other: str, conflicting: list[tuple[str, str]]) -> None:
    found = [one for one in linted(tmp_path, SOUND, wrath=other) if one.kind is FindingKind.CONFLICTING]
    assert [(Path(one.place.file).stem, one.pattern) for one in found] == conflicting
    assert all("'báo giá' is" in one.advice and one.is_error for one in found)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (" ".join(f"{{a{sign} b|c{sign} d|e{sign} f}}" for sign in "mnpqrst"), "spells out to 2187 paths"),
        ("báo ~8 giá ~4 sao", "can be passed in 45 ways"),
    ],
)
def test_what_costs_too_much_runs_away(tmp_path: Path, pattern: str, reason: str) -> None:
    found = [one for one in linted(tmp_path, with_pattern(pattern)) if one.kind is not FindingKind.UNPROVEN]
    assert [(one.kind, one.pattern) for one in found] == [("runs_away", pattern)]
    assert reason in found[0].advice


def test_a_wording_that_only_a_neighbours_sentence_uses_is_unproven(tmp_path: Path) -> None:
    rules = with_pattern("bảng giá") + "  - rule: asks again\n    weight: 0.8\n    any_of: [xem]\n    says: [xem bảng giá]\n    not: [a]\n"
    (finding,) = linted(tmp_path, rules)
    assert (finding.kind, finding.place.line, finding.pattern, finding.is_error) == ("unproven", 7, "bảng giá", False)


def test_paths_cover_and_hold_word_by_word() -> None:
    covering: CoveringPaths[str] = CoveringPaths()
    for wide in ("xin ~2 giá", "xin giá", "{xin|cho} giá", "^xin giá", "xin giá hộp"):
        for one in read_pattern(wide, {}):
            covering.add(one, wide)
    (narrow,) = read_pattern("xin giá", {})
    assert sorted(covering.of(narrow)) == ["xin giá", "xin ~2 giá", "{xin|cho} giá"]
    (long,) = read_pattern("cho xin giá hộp", {})
    assert always_holds(long, narrow)
    (starting,) = read_pattern("^xin giá", {})
    assert not always_holds(long, starting)


# ---- the command ----


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["rules", "lint", *arguments])


def test_the_command_tells_errors_and_hints_of_a_folder(tmp_path: Path) -> None:
    linted(tmp_path, with_pattern("bảng giá"))
    hints = run(str(tmp_path))
    assert (hints.exit_code, hints.output.splitlines()[-1]) == (0, "no errors, 1 hint.")
    linted(tmp_path, with_pattern("báo ~8 giá ~8 sao"))
    errors = run(str(tmp_path), "--json")
    document = json.loads(errors.output)
    assert (errors.exit_code, document["errors"], document["hints"]) == (1, 1, 1)
    assert document["findings"][0] == {
        "kind": "runs_away",
        "is_error": True,
        "file": f"{tmp_path.name}/rules/price.yaml",
        "line": 7,
        "rule": "asks for a quote",
        "pattern": "báo ~8 giá ~8 sao",
        "advice": "its gaps can be passed in 81 ways at each place of a text, more than 40; shorten one",
    }


def test_the_command_tells_of_a_tenants_file_only_what_is_the_tenants(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    rules = "rules:\n- {rule: names zuka, intent: inquiry, weight: 0.9, any_of: [zuka, zuka ~8 giá ~8 sao], says: [zuka], not: [a]}\n"
    file.write_text(rules, encoding="utf-8")
    found = run(str(file))
    assert found.exit_code == 1
    assert found.output.splitlines()[0].startswith("own.yaml:2: error: runs_away: rule 'names zuka': 'zuka ~8 giá ~8 sao': its gaps")
    assert found.output.splitlines()[-1] == "1 error, 1 hint."
    file.write_text("abbreviations: {báo: bực}\n", encoding="utf-8")
    changed = run(str(file))
    assert changed.exit_code == 0
    assert ": hint: changed: rule " in changed.output


def test_the_command_adds_up_what_wordings_of_a_tenant_cost_together(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    wordings = [f"zuka ~5 {sign}a zuka" for sign in "bcd"] + ["zuka ~5 zuka"] * 101
    file.write_text(
        "rules:\n"
        + "".join(
            f"- {{rule: r{number}, intent: inquiry, weight: 0.9, any_of: [{wording}], says: [{wording.replace('~5 ', '')}], not: [a]}}\n"
            for number, wording in enumerate(wordings)
        ),
        encoding="utf-8",
    )
    errors = [line for line in run(str(file)).output.splitlines() if "runs_away" in line]
    assert len(errors) == 1
    assert errors[0].startswith("own.yaml:102: error: runs_away: rule 'r100': 'zuka ~5 zuka': with this wording the gaps of those")


def test_the_command_tells_mistakes_of_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "own\x1b[2J.yaml"
    file.write_text("silence: [zuka]\nnonsense: 1\n", encoding="utf-8")
    refused = run(str(file))
    assert refused.exit_code == 1
    assert "own\ufffd[2J.yaml:2: does not know nonsense" in refused.output
    assert "own\ufffd[2J.yaml:1: silence: there is no packaged rule 'zuka'" in refused.output
    assert "\x1b" not in refused.output


def test_the_packaged_rules_have_no_errors() -> None:
    document = json.loads(run("--json").output)
    assert [finding for finding in document["findings"] if finding["is_error"]] == []


def test_a_folder_of_several_languages_is_linted_as_one_pack() -> None:
    packaged = Path(rule_pack.__file__).parents[1]
    assert lint_paths([packaged]) == lint_paths([packaged / "vietnamese", packaged / "english"])
    assert lint_paths([packaged]) == lint_rules(packaged_rule_pack())
