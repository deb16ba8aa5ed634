"""The fields of a marked mapping, each read as what it must be; what it is instead becomes a mistake with its line."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from lead_signals.intent.pack.pack_mistakes import PackMistakes, Place
from lead_signals.intent.pack.written_rules import WrittenText
from lead_signals.intent.pack.yaml_marks import MarkedList, MarkedMap, MarkedNode, MarkedText

LONGEST_NAME_CHARACTERS = 80
LONGEST_PATTERN_CHARACTERS = 4_000
LONGEST_SENTENCE_CHARACTERS = 2_000
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping that is being read. `of` says to whom it belongs, as in "rule 'asks for a quote': "; may be empty."""

    entries: Mapping[str, MarkedNode]
    place: Place
    of: str
    mistakes: PackMistakes

    def mistake(self, reason: str, node: MarkedNode | None = None) -> None:
        """Of a field, or of all of it."""
        place = self.place if node is None else Place(self.place.file, node.line)
        self.mistakes.add(place, self.of + reason)

    def texts(self, key: str, longest: int = LONGEST_PATTERN_CHARACTERS) -> tuple[WrittenText, ...]:
        """A list of texts in NFC without unseen characters; absent is empty."""
        return tuple(
            WrittenText(text, one.place)
            for one in self._listed(key)
            if (text := self._seen(unicodedata.normalize("NFC", one.text), key, one.place, longest)) is not None
        )

    def sentences(self, key: str) -> tuple[WrittenText, ...]:
        """A list of texts exactly as people type them, whatever they type."""
        kept: list[WrittenText] = []
        for one in self._listed(key):
            if len(one.text) > LONGEST_SENTENCE_CHARACTERS:
                self.mistakes.add(
                    one.place, f"{self.of}{key} holds a sentence of {len(one.text)} characters; at most {LONGEST_SENTENCE_CHARACTERS}"
                )
            else:
                kept.append(one)
        return tuple(kept)

    def name(self, key: str) -> str | None:
        """A text of one line that a person reads; absent is None, and so is what was refused."""
        node = self.entries.get(key)
        if node is None:
            return None
        if not isinstance(node, MarkedText) or node.kind != "text" or not node.value.strip():
            self.mistake(f"{key} must be a text, is {shown(node)}", node)
            return None
        return self._seen(" ".join(unicodedata.normalize("NFC", node.value).split()), key, self._place(node), LONGEST_NAME_CHARACTERS)

    def share(self, key: str) -> float:
        """A number between 0 and 1, without its ends; 0 when it is something else."""
        node = self.entries.get(key)
        if isinstance(node, MarkedText) and node.kind in {"int", "float"}:
            value = _number(node.value)
            if value is not None and 0 < value < 1:
                return value
        self.mistake(f"{key} must be a number between 0 and 1, is {shown(node)}", node)
        return 0.0

    def count(self, key: str) -> int | None:
        """A whole number from 1; absent is None."""
        node = self.entries.get(key)
        if node is None:
            return None
        if isinstance(node, MarkedText) and node.kind == "int" and node.value.isdecimal() and 0 < len(node.value) <= 4 and int(node.value):
            return int(node.value)
        self.mistake(f"{key} must be a whole number from 1, is {shown(node)}", node)
        return None

    def yes(self, key: str, otherwise: bool) -> bool:
        """true or false."""
        node = self.entries.get(key)
        if node is None:
            return otherwise
        if isinstance(node, MarkedText) and node.kind == "bool" and node.value.lower() in {"true", "false"}:
            return node.value.lower() == "true"
        self.mistake(f"{key} must be true or false, is {shown(node)}", node)
        return otherwise

    def inner(self, key: str) -> "Fields":
        """A mapping in it; absent is empty."""
        node = self.entries.get(key)
        if node is None:
            return Fields({}, self.place, self.of, self.mistakes)
        return read_fields(node, self.place.file, f"{self.of}{key}", self.mistakes) or Fields({}, self.place, self.of, self.mistakes)

    def nodes(self, key: str) -> tuple[MarkedNode, ...]:
        """A list of anything; absent is empty."""
        node = self.entries.get(key)
        if node is None:
            return ()
        if not isinstance(node, MarkedList):
            self.mistake(f"{key} must be a list, is {shown(node)}", node)
            return ()
        return node.items

    def refuse_other_keys(self, allowed: Collection[str]) -> None:
        """Each key that nobody reads is a mistake: a misspelt one would be silently forgotten."""
        for key, node in self.entries.items():
            if key not in allowed:
                meant = did_you_mean(key, allowed, self.mistakes)
                self.mistake(f"does not know {shortened(key)}{meant}; allowed are {', '.join(sorted(allowed))}", node)

    def _listed(self, key: str) -> Iterator[WrittenText]:
        node = self.entries.get(key)
        if node is None:
            return
        if not isinstance(node, MarkedList):
            self.mistake(f"{key} must be a list of texts, is {shown(node)}", node)
            return
        for item in node.items:
            if isinstance(item, MarkedText) and item.kind == "text" and item.value.strip():
                yield WrittenText(item.value, self._place(item))
            else:
                self.mistake(f"{key} holds {shown(item)}, which is no text; put it in quotes", item)

    def _seen(self, text: str, key: str, place: Place, longest: int) -> str | None:
        if len(text) > longest:
            self.mistakes.add(place, f"{self.of}{key} holds {len(text)} characters, {shortened(text)!r}; at most {longest}")
            return None
        unseen = next((sign for sign in text if not sign.isprintable()), None)
        if unseen is not None:
            self.mistakes.add(place, f"{self.of}{key} holds the unseen character U+{ord(unseen):04X}; write it on one line without it")
            return None
        return text

    def _place(self, node: MarkedNode) -> Place:
        return Place(self.place.file, node.line)


def read_fields(node: MarkedNode, file: str, of: str, mistakes: PackMistakes) -> Fields | None:
    """`node` as fields; None, and a mistake, when it is no mapping. A key that stands twice is a mistake, and its first value counts."""
    place = Place(file, node.line)
    before = of + ": " if of else ""
    if not isinstance(node, MarkedMap):
        mistakes.add(place, f"{before}must be a mapping, is {shown(node)}")
        return None
    entries: dict[str, MarkedNode] = {}
    for key, value in node.entries:
        at = Place(file, key.line)
        if not isinstance(key, MarkedText) or key.kind != "text" or not key.value.isprintable():
            mistakes.add(at, f"{before}the key {shown(key)} is no text; put it in quotes")
        elif key.value in entries:
            mistakes.add(at, f"{before}{shortened(key.value)!r} stands twice; put both together")
        else:
            entries[key.value] = value
    return Fields(entries, place, before, mistakes)


def shown(node: MarkedNode | None) -> str:
    """A value in a sentence about it."""
    if node is None:
        return "missing"
    if isinstance(node, MarkedText):
        return "empty" if node.kind == "null" and not node.value else repr(shortened(node.value))
    return "a list" if isinstance(node, MarkedList) else "a mapping"


def shortened(text: str) -> str:
    """As much of a text as a sentence about it bears."""
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def did_you_mean(written: str, known: Collection[str], mistakes: PackMistakes) -> str:
    """(did you mean x?), with its blank, or nothing when nothing is near, or when the mistake will not be told."""
    if mistakes.is_full:
        return ""
    near = get_close_matches(written[:LONGEST_NAME_CHARACTERS], sorted(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _number(written: str) -> float | None:
    try:
        return float(written) if len(written) <= 20 else None
    except ValueError:  # YAML also knows 1:30 and 0x1f
        return None
