"""Reads the rules of a file: a list of mappings, each a rule with its wordings and the sentences that prove it."""

import re
from collections.abc import Mapping

from lead_signals.intent.folding.syllable import fold_word
from lead_signals.intent.pack.pack_mistakes import PackMistakes, Place
from lead_signals.intent.pack.read_fields import Fields, read_fields, shortened, shown
from lead_signals.intent.pack.rule import NAMES_OF_OTHERS, Rule
from lead_signals.intent.pack.written_rules import WrittenRule, WrittenText
from lead_signals.intent.pack.yaml_marks import MarkedNode, MarkedText
from lead_signals.intent.verdict import IntentLabel

RULE_KEYS = frozenset({"rule", "vi", "weight", "any_of", "unlike", "unless", "only_with", "at_most_words", "negatable", "says", "not"})


def read_rules(
    fields: Fields, intent_label: IntentLabel | None, taken: dict[str, Place], mistakes: PackMistakes
) -> tuple[WrittenRule, ...]:
    """The list `rules` of a file. Without `intent_label` each rule has a key `intent` of its own.

    `taken` are the names that have an owner, and gets those of these rules. What is wrong is added to `mistakes`; a rule with a
    mistake in it comes back as far as it could be read, so that its wordings are looked at too.
    """
    rules: list[WrittenRule] = []
    for number, node in enumerate(fields.nodes("rules"), start=1):
        written = _rule_fields(node, number, fields.place.file, mistakes)
        if written is None:
            continue
        name, own = written
        if _as_read(name) in _NAMES_OF_OTHERS:
            own.mistake("the name is taken by the product itself; choose another")
        elif name in taken:
            own.mistake(f"the name is taken by the rule in {taken[name]}; choose another")
        taken.setdefault(name, own.place)
        own.refuse_other_keys(RULE_KEYS | ({"intent"} if intent_label is None else frozenset()))
        label = read_intent(own) if intent_label is None else intent_label
        rules.append(_rule(name, own, label or IntentLabel.UNKNOWN))
    return tuple(rules)


def read_intent(fields: Fields) -> IntentLabel | None:
    """The key `intent`; None, and a mistake, when it names none."""
    node = fields.entries.get("intent")
    if isinstance(node, MarkedText):
        try:
            return IntentLabel(node.value)
        except ValueError:
            pass
    fields.mistake(f"intent {shown(node)} is none of {', '.join(IntentLabel)}", node)
    return None


def _as_read(name: str) -> str:
    """What a person takes a name for: neither capitals nor look-alike letters nor unseen signs nor accents make it another one."""
    return " ".join(folded for word in re.split(r"[\s_\-]+", name) if (folded := fold_word(word).bare))


_NAMES_OF_OTHERS = frozenset(map(_as_read, NAMES_OF_OTHERS))


def _rule_fields(node: MarkedNode, number: int, file: str, mistakes: PackMistakes) -> tuple[str, Fields] | None:
    numbered = read_fields(node, file, f"rule number {number}", mistakes)
    if numbered is None:
        return None
    named = numbered.entries.get("rule")
    if not isinstance(named, MarkedText) or named.kind != "text" or not named.value.strip():
        numbered.mistake("needs a name (`rule: asks for a quote`)")
        return None
    name = numbered.name("rule")
    if name is None:
        return None
    return name, Fields(numbered.entries, Place(file, named.line), f"rule {shortened(name)!r}: ", mistakes)


def _rule(name: str, fields: Fields, intent_label: IntentLabel) -> WrittenRule:
    written: Mapping[str, tuple[WrittenText, ...]] = {
        **{key: fields.texts(key) for key in ("any_of", "unlike", "unless", "only_with")},
        **{key: fields.sentences(key) for key in ("says", "not")},
    }
    for needed in ("any_of", "says", "not"):
        if not written[needed]:
            fields.mistake(f"needs `{needed}`, a list of at least one text", fields.entries.get(needed))
    rule = Rule(
        name=name,
        intent_label=intent_label,
        weight=fields.share("weight"),
        any_of=_texts(written["any_of"]),
        unlike=_texts(written["unlike"]),
        unless=_texts(written["unless"]),
        only_with=_texts(written["only_with"]),
        at_most_words=fields.count("at_most_words"),
        negatable=fields.yes("negatable", otherwise=True),
        says=_texts(written["says"]),
        never=_texts(written["not"]),
        vi=fields.name("vi"),
    )
    return WrittenRule(
        rule=rule,
        place=fields.place,
        any_of=written["any_of"],
        unlike=written["unlike"],
        unless=written["unless"],
        only_with=written["only_with"],
        says=written["says"],
        never=written["not"],
    )


def _texts(written: tuple[WrittenText, ...]) -> tuple[str, ...]:
    return tuple(one.text for one in written)
