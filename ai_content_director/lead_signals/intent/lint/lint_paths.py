"""Lints what lies at some paths: folders as one pack of languages, each file as a tenant's own rules; nothing named, the packaged rules."""

from collections.abc import Sequence
from pathlib import Path

from lead_signals.intent.lint.finding import Finding, FindingKind
from lead_signals.intent.lint.lint_rules import lint_rules
from lead_signals.intent.own_rules.tenant_rules import changed_packaged_sentences, read_tenant_rules, rule_pack_with
from lead_signals.intent.pack.languages_in import languages_in
from lead_signals.intent.pack.rule_pack import load_rule_pack, packaged_rule_pack
from lead_signals.intent.pack.yaml_marks import LARGEST_FILE_BYTES


def lint_paths(paths: Sequence[Path]) -> list[Finding]:
    """Raises RulePackError when a pack has mistakes: what cannot be read is not linted. OSError for a file that cannot be opened."""
    if not paths:
        return lint_rules(packaged_rule_pack())
    folders = [path for path in paths if path.is_dir()]
    # A folder without a language is told by the reader, as one whose language.yaml is missing.
    # A folder without a language stays in the list: the reader tells which file it misses.
    languages = [language for folder in folders for language in languages_in(folder) or [folder]]
    findings = lint_rules(load_rule_pack(languages)) if folders else []
    for file in paths:
        if not file.is_dir():
            findings += _lint_tenant_file(file)
    return findings


def _lint_tenant_file(file: Path) -> list[Finding]:
    with file.open("rb") as opened:
        tenant_rules = read_tenant_rules(opened.read(LARGEST_FILE_BYTES + 1), file.name)
    pack = rule_pack_with(tenant_rules)
    running_away = [
        Finding(FindingKind.RUNS_AWAY, one.text.place, one.rule, one.text.text, one.advice) for one in tenant_rules.running_away
    ]
    changed = [
        Finding(
            FindingKind.CHANGED,
            failed.place,
            failed.rule,
            failed.sentence,
            f"under {file.name} this packaged rule {failed.reason}; look whether that is what you want",
        )
        for failed in changed_packaged_sentences(pack)
    ]
    # Of its words and exceptions too, and all wordings together: the same that `rules add` refuses.
    others = [one for one in lint_rules(pack, lambda rule: rule.name in pack.own_rules) if one.kind is not FindingKind.RUNS_AWAY]
    return running_away + others + changed
