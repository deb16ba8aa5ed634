"""Reads what one language is made of: its words from one mapping, or from a folder with `language.yaml` and `rules/*.yaml`."""

from collections.abc import Mapping
from pathlib import Path

from lead_signals.intent.folding.syllable import FoldedWord, fold_word
from lead_signals.intent.pack.pack_mistakes import PackMistakes, Place
from lead_signals.intent.pack.read_fields import LONGEST_NAME_CHARACTERS, Fields, read_fields, shortened, shown
from lead_signals.intent.pack.read_rules import read_intent, read_rules
from lead_signals.intent.pack.written_rules import Language, WrittenRule, WrittenText
from lead_signals.intent.pack.yaml_marks import LARGEST_FILE_BYTES, MarkedList, MarkedText, YamlMistake, read_marked_yaml

LANGUAGE_KEYS = frozenset({"word_sets", "abbreviations", "particles", "idioms", "negators", "direct_negators", "no_negators"})
MOST_WORDS_OF_A_SET = 2_000
MOST_WORDS_OF_AN_ABBREVIATION = 8
_NO_WORD = frozenset("{}[]|@~^$")


def read_language_folder(folder: Path, taken: dict[str, Place], mistakes: PackMistakes) -> tuple[Language, bytes]:
    """The language with its rules, and the bytes of all its files. `taken` as for `read_rules`."""
    content: list[bytes] = []
    place = f"{folder.name}/language.yaml"
    fields = _read_file(folder / "language.yaml", place, mistakes, content) or Fields({}, Place(place, 1), "", mistakes)
    fields.refuse_other_keys(LANGUAGE_KEYS)
    rules: list[WrittenRule] = []
    for file in sorted((folder / "rules").glob("*.yaml")):
        in_file = _read_file(file, f"{folder.name}/rules/{file.name}", mistakes, content)
        if in_file is None:
            continue
        in_file.refuse_other_keys({"intent", "rules"})
        intent_label = read_intent(in_file)
        if not in_file.nodes("rules"):
            in_file.mistake("rules must be a list of rules", in_file.entries.get("rules"))
        elif intent_label is not None:
            rules += read_rules(in_file, intent_label, taken, mistakes)
    return read_language(fields, folder.name, tuple(rules)), b"".join(content)


def read_language(fields: Fields, name: str, rules: tuple[WrittenRule, ...]) -> Language:
    """The words of a language out of a mapping's keys; keys that mean something else are left to the caller."""
    return Language(
        name=name,
        word_sets=_word_sets(fields.inner("word_sets")),
        abbreviations=_abbreviations(fields.inner("abbreviations")),
        particles=frozenset(fold_word(one.text).folded for one in fields.texts("particles")),
        idioms=fields.texts("idioms"),
        negators=fields.texts("negators"),
        direct_negators=fields.texts("direct_negators"),
        no_negators=fields.texts("no_negators"),
        rules=rules,
    )


def _read_file(file: Path, called: str, mistakes: PackMistakes, content: list[bytes]) -> Fields | None:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_FILE_BYTES + 1)
        node = read_marked_yaml(raw)
    except OSError as error:
        mistakes.add(Place(called, 1), f"cannot be read ({error.__class__.__name__})")
        return None
    except YamlMistake as mistake:
        mistakes.add(Place(called, mistake.line), mistake.reason)
        return None
    content.append(called.encode() + b"\0" + raw + b"\0")
    return read_fields(node, called, "", mistakes)


def _word_sets(fields: Fields) -> Mapping[str, tuple[WrittenText, ...]]:
    word_sets: dict[str, tuple[WrittenText, ...]] = {}
    for name, node in fields.entries.items():
        words = fields.texts(name, LONGEST_NAME_CHARACTERS)
        if not name or len(name) > LONGEST_NAME_CHARACTERS or any(sign.isspace() or sign in _NO_WORD for sign in name):
            fields.mistake(f"{shortened(name)!r} is no name of a word set; write it in one word, without brackets and signs", node)
        if len(words) > MOST_WORDS_OF_A_SET:
            fields.mistake(f"{name} holds {len(words)} words; at most {MOST_WORDS_OF_A_SET}", node)
            words = words[:MOST_WORDS_OF_A_SET]
        for word in words:
            if not _NO_WORD.isdisjoint(word.text):
                fields.mistakes.add(word.place, f"{fields.of}{name} holds {word.text!r}; a word set lists plain words, and no patterns")
        word_sets[name] = tuple(word for word in words if _NO_WORD.isdisjoint(word.text))
        if isinstance(node, MarkedList) and not node.items:
            fields.mistake(f"{name} needs at least one word", node)
    return word_sets


def _abbreviations(fields: Fields) -> Mapping[str, tuple[FoldedWord, ...]]:
    abbreviations: dict[str, tuple[FoldedWord, ...]] = {}
    for typed, node in fields.entries.items():
        meant = node.value.split() if isinstance(node, MarkedText) and node.kind == "text" else []
        key = fold_word(typed).folded
        if not 0 < len(meant) <= MOST_WORDS_OF_AN_ABBREVIATION or len(typed.split()) != 1 or not key.isalpha():
            fields.mistake(
                f"{shortened(typed)!r}: {shown(node)} must be one quoted word, and mean at most {MOST_WORDS_OF_AN_ABBREVIATION} words", node
            )
        else:
            abbreviations[key] = tuple(fold_word(word) for word in meant)
    return abbreviations
