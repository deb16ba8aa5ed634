"""A tenant's own rules, in one YAML text beside the packaged ones: words added, rules silenced, rules of their own.

The text is of strangers: it is read within limits, and either all of it holds or nothing of it is used.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from lead_signals.intent.folding.text_folding import fold_text
from lead_signals.intent.own_rules.prove_sentences import UnprovenSentence, prove_sentences
from lead_signals.intent.own_rules.several_trees import SeveralTrees
from lead_signals.intent.pack.pack_mistakes import PackMistakes, Place
from lead_signals.intent.pack.read_fields import Fields, did_you_mean, read_fields, shortened
from lead_signals.intent.pack.read_language import LANGUAGE_KEYS, read_language
from lead_signals.intent.pack.read_rules import read_rules
from lead_signals.intent.pack.rule_pack import PatternOwner, Role, RulePack, RulePackError, grow_tree, packaged_rule_pack, patterns_of
from lead_signals.intent.pack.spell_out import MOST_PATHS_OF_A_TENANT, SpellingOut, plain_word_sets
from lead_signals.intent.pack.written_rules import Language, WrittenRule, WrittenText
from lead_signals.intent.pack.yaml_marks import YamlMistake, read_marked_yaml
from lead_signals.intent.patterns.pattern import Wording, WordSets, read_pattern
from lead_signals.intent.patterns.ways_through_gaps import GapBudget, why_running_away
from lead_signals.printable import printable

TENANT_KEYS = LANGUAGE_KEYS | {"silence", "rules"}
MOST_RULES = 500
MOST_SENTENCES = 2_000
LONGEST_PROVING_SENTENCE = 300
"""Each is judged when the rules are added, by all of them: most in a fifth of a millisecond. Nine of ten comments are shorter."""

_NAMED_SET = re.compile(r"@([^\s{}\[\]|@]+)")
_SILENT = PatternOwner(Role.UNLIKE)  # an exception to no rule


@dataclass(frozen=True, slots=True)
class RunningAway:
    """A wording that costs too much while texts are read. `of` names its rule and key, `rule` the rule alone, empty for a language's."""

    text: WrittenText
    of: str
    rule: str
    advice: str


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Rules that were read without a mistake. `patterns` are theirs, and those that packaged rules gain by their words.

    `running_away` are the wordings that no new pack may have; what was stored before is read within the bounds of a walk.
    """

    name: str
    digest: str
    language: Language
    silenced: frozenset[str]
    patterns: tuple[tuple[PatternOwner, Wording], ...]
    running_away: tuple[RunningAway, ...] = ()


def read_tenant_rules(content: str | bytes, name: str) -> TenantRules:
    """Reads one YAML text. `name` is what a person calls it: mistakes begin with it, and the pack's name holds it.

    Raises RulePackError with every mistake in it, a line for each. Sentences are proven by `rule_pack_with`.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    called = printable(name)
    mistakes = PackMistakes()
    fields = _read_text(raw, called, mistakes)
    packaged = packaged_rule_pack()
    if fields is None:
        raise RulePackError(mistakes.told())
    rules = read_rules(fields, None, _packaged_places(packaged), mistakes)
    language = read_language(fields, called, rules)
    silenced = _silenced(fields, packaged)
    _refuse_too_many(fields, rules)
    running_away: list[RunningAway] = []
    patterns = tuple(_patterns(language, packaged, mistakes, running_away))
    if mistakes:
        raise RulePackError(mistakes.told())
    return TenantRules(called, sha256(raw).hexdigest()[:10], language, silenced, patterns, tuple(running_away))


def refuse_running_away(tenant_rules: TenantRules) -> None:
    """Raises RulePackError with a line for each wording that costs too much. Before `rule_pack_with` proves anything by them."""
    mistakes = PackMistakes()
    for one in tenant_rules.running_away:
        mistakes.add(one.text.place, f"{one.of}: {shortened(one.text.text)!r} {one.advice}")
    if mistakes:
        raise RulePackError(mistakes.told())


def rule_pack_with(tenant_rules: TenantRules, *, is_proven: bool = False) -> RulePack:
    """The packaged languages and the tenant's rules as one pack; the packaged part is shared by all tenants of a process.

    Raises RulePackError with a line for each of the tenant's own sentences that does not come out as written; with `is_proven`
    they came out once, when the rules were stored, and are not asked again.
    """
    packaged = packaged_rule_pack()
    language = tenant_rules.language
    owners = tuple(dict.fromkeys([*packaged.owners, *(owner for owner, _ in tenant_rules.patterns)]))
    languages = (*packaged.languages, language)
    own = frozenset(written.rule.name for written in language.rules)
    own_tree = grow_tree(tenant_rules.patterns, {owner: number for number, owner in enumerate(owners)}, is_bounded=True)
    pack = RulePack(
        name=f"{packaged.name}+{tenant_rules.name}-{tenant_rules.digest}",
        rules=(*packaged.rules, *(written.rule for written in language.rules)),
        owners=tuple(_SILENT if _speaks_for(owner, packaged, tenant_rules.silenced) else owner for owner in owners),
        tree=SeveralTrees(packaged.tree, own_tree),
        particles=packaged.particles | language.particles,
        abbreviations={**packaged.abbreviations, **language.abbreviations},
        languages=languages,
        word_sets=(*(_extended(base, language) for base in packaged.languages), _all_word_sets(languages)),
        silenced=tenant_rules.silenced,
        own_rules=own,
    )
    if is_proven:
        return pack
    mistakes = PackMistakes()
    for failed in prove_sentences(pack, lambda rule: rule.name in own):
        mistakes.add(failed.place, f"rule {failed.rule!r}: {failed.reason}: {failed.sentence!r}")
    if mistakes:
        raise RulePackError(mistakes.told())
    return pack


def changed_packaged_sentences(rule_pack: RulePack) -> list[UnprovenSentence]:
    """Sentences of packaged rules that no longer come out under a tenant's words: to be told as warnings.

    It may be what the tenant wants: whoever sells pallets reads `pallet` as nobody else does.
    """
    packaged = {rule.name for rule in packaged_rule_pack().rules}
    return prove_sentences(rule_pack, lambda rule: rule.name in packaged)


def _read_text(raw: bytes, called: str, mistakes: PackMistakes) -> Fields | None:
    try:
        fields = read_fields(read_marked_yaml(raw), called, "", mistakes)
    except YamlMistake as mistake:
        mistakes.add(Place(called, mistake.line), mistake.reason)
        return None
    if fields is not None:
        fields.refuse_other_keys(TENANT_KEYS)
        if not fields.entries:
            fields.mistake(f"there is nothing in it; it may hold {', '.join(sorted(TENANT_KEYS))}")
    return fields


def _packaged_places(packaged: RulePack) -> dict[str, Place]:
    return {written.rule.name: written.place for language in packaged.languages for written in language.rules}


def _silenced(fields: Fields, packaged: RulePack) -> frozenset[str]:
    known = {rule.name for rule in packaged.rules}
    named = fields.texts("silence")
    for one in named:
        if one.text not in known:
            fields.mistakes.add(
                one.place, f"silence: there is no packaged rule {shortened(one.text)!r}{did_you_mean(one.text, known, fields.mistakes)}"
            )
    return frozenset(one.text for one in named)


def _refuse_too_many(fields: Fields, rules: Sequence[WrittenRule]) -> None:
    if len(rules) > MOST_RULES:
        fields.mistake(f"holds {len(rules)} rules; at most {MOST_RULES}", fields.entries["rules"])
    sentences = [sentence for written in rules for sentence in (*written.says, *written.never)]
    if len(sentences) > MOST_SENTENCES:
        reason = f"with this sentence its rules hold more than {MOST_SENTENCES}, {len(sentences)} in all; take some out"
        fields.mistakes.add(sentences[MOST_SENTENCES].place, reason)
    for sentence in sentences:
        if len(sentence.text) > LONGEST_PROVING_SENTENCE:
            reason = (
                f"a sentence of {len(sentence.text)} characters; at most {LONGEST_PROVING_SENTENCE}, shorten it to what the rule is about"
            )
            fields.mistakes.add(sentence.place, reason)


def _patterns(
    language: Language, packaged: RulePack, mistakes: PackMistakes, running_away: list[RunningAway]
) -> Iterator[tuple[PatternOwner, Wording]]:
    known = packaged.abbreviations.keys() | language.abbreviations.keys()
    for name, words in language.word_sets.items():
        for word in words:
            tokens = {token.folded for token in fold_text(word.text)}
            if not tokens:
                mistakes.add(word.place, f"word_sets: {name} holds {word.text!r}, which has no word in it")
            short = sorted(tokens & known)
            if short:
                mistakes.add(word.place, f"word_sets: {name} holds {word.text!r}: {', '.join(short)} is read in full; write it in full")
    spelling, budget = SpellingOut(mistakes, known, MOST_PATHS_OF_A_TENANT), GapBudget()
    word_sets = _all_word_sets([*packaged.languages, language])
    for owner, text, of in patterns_of(language, len(packaged.rules)):
        paths = spelling.paths(text, of, word_sets)
        named = "" if owner.rule_number < 0 else language.rules[owner.rule_number - len(packaged.rules)].rule.name
        running_away += [RunningAway(text, of, named, advice) for advice in (*why_running_away(paths), budget.add(paths)) if advice]
        for path in paths:
            yield owner, path
    # Words with a mistake would be told again for every packaged rule that knows their set.
    if language.word_sets and not mistakes:
        spelling = SpellingOut(mistakes, frozenset(), MOST_PATHS_OF_A_TENANT)
        for owner, text, of, gained in _gained(language, packaged, spelling):
            if advice := budget.add(gained):
                running_away.append(RunningAway(text, of, "", advice))
            for path in gained:
                yield owner, path


def _gained(
    language: Language, packaged: RulePack, spelling: SpellingOut
) -> Iterator[tuple[PatternOwner, WrittenText, str, list[Wording]]]:
    """The paths that wordings of packaged rules have more, because a tenant's words stand in a set that they name."""
    first_number = 0
    for base in packaged.languages:
        before = plain_word_sets(base.word_sets)
        after = _extended(base, language)
        for owner, text, of in patterns_of(base, first_number):
            named = [name for name in _NAMED_SET.findall(text.text) if name in language.word_sets]
            if not named:
                continue
            here = WrittenText(text.text, language.word_sets[named[0]][0].place)
            of_words = f"word_sets: {named[0]}: with its words, the packaged {of}"
            spelled_before = set(read_pattern(text.text, before))
            yield owner, here, of_words, [path for path in spelling.paths(here, of_words, after) if path not in spelled_before]
        first_number += len(base.rules)


def _all_word_sets(languages: Sequence[Language]) -> WordSets:
    """What `@name` means to a tenant: the words of all languages under this name, and their own."""
    together: dict[str, tuple[str, ...]] = {}
    for language in languages:
        for name, words in language.word_sets.items():
            together[name] = _joined(together.get(name, ()), words)
    return together


def _extended(base: Language, language: Language) -> WordSets:
    """The sets of a packaged language with the words a tenant added to them."""
    return {name: _joined([word.text for word in words], language.word_sets.get(name, ())) for name, words in base.word_sets.items()}


def _joined(texts: Sequence[str], more: Sequence[WrittenText]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*texts, *(word.text for word in more)]))


def _speaks_for(owner: PatternOwner, packaged: RulePack, silenced: frozenset[str]) -> bool:
    return owner.role is Role.RULE and owner.rule_number < len(packaged.rules) and packaged.rules[owner.rule_number].name in silenced
