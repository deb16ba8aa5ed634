"""YAML as values that remember their line: only texts, lists and mappings, within limits that hold for files of strangers.

Read from the parser's events, one after the other, and never by its constructors: aliases, anchors and tags are refused before
they mean anything, and depth and number are counted before anything is built.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from lead_signals.printable import printable

LARGEST_FILE_BYTES = 1024 * 1024
# A rule pack needs four levels: the file, its rules, a rule, its wordings.
DEEPEST_LEVEL = 8
MOST_VALUES = 60_000
_TEXT_TAG = "tag:yaml.org,2002:str"


class YamlMistake(ValueError):
    """The text is no YAML, or more than is read; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MarkedText:
    """One value as written. `kind` is "text", or what YAML takes a bare word for: "bool", "int", "float", "null", "timestamp"."""

    value: str
    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class MarkedList:
    """Values in their order."""

    items: "tuple[MarkedNode, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class MarkedMap:
    """Keys with their values, in their order, double ones too."""

    entries: "tuple[tuple[MarkedNode, MarkedNode], ...]"
    line: int


MarkedNode = MarkedText | MarkedList | MarkedMap


def read_marked_yaml(raw: bytes) -> MarkedNode:
    """The one document in `raw` (UTF-8). Raises YamlMistake with the first line that is not to be read."""
    if len(raw) > LARGEST_FILE_BYTES:
        raise YamlMistake(1, f"has {len(raw)} bytes, more than {LARGEST_FILE_BYTES}; split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlMistake(raw.count(b"\n", 0, error.start) + 1, "is no UTF-8 text") from None
    try:
        return _Events(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise YamlMistake(1 if mark is None else mark.line + 1, f"is no YAML: {printable(said)}") from None
    except yaml.YAMLError as error:
        raise YamlMistake(1, f"is no YAML: {printable(' '.join(str(error).split()))}") from None


class _Events:
    """The parser's events as nodes. The recursion is as deep as the file, which is bounded."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._resolver = yaml.resolver.Resolver()
        self._values = 0

    def document(self) -> MarkedNode:
        node: MarkedNode = MarkedText("", "null", 1)
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlMistake(_line(event), "begins a second document; one file holds one")
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, 1)
        return node

    def _node(self, event: yaml.Event, level: int) -> MarkedNode:
        line = _line(event)
        self._values += 1
        if self._values > MOST_VALUES:
            raise YamlMistake(line, f"holds more than {MOST_VALUES} values; split it")
        if level > DEEPEST_LEVEL:
            raise YamlMistake(line, f"goes deeper than {DEEPEST_LEVEL} levels")
        if not isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)) or event.anchor is not None:
            raise YamlMistake(line, "uses an anchor or an alias (& or *); write it out, or put it in quotes when it is text")
        if event.tag is not None:
            raise YamlMistake(line, "uses a tag (!); a pack holds only texts, numbers, lists and mappings")
        if isinstance(event, yaml.ScalarEvent):
            return MarkedText(self._without_controls(event.value, line), self._kind(event), line)
        if isinstance(event, yaml.SequenceStartEvent):
            return MarkedList(tuple(self._node(inner, level + 1) for inner in self._until(yaml.SequenceEndEvent)), line)
        return MarkedMap(
            tuple((self._node(key, level + 1), self._node(next(self._events), level + 1)) for key in self._until(yaml.MappingEndEvent)),
            line,
        )

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _kind(self, event: yaml.ScalarEvent) -> str:
        tag = str(self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit))  # type: ignore[no-untyped-call]
        return "text" if tag == _TEXT_TAG else tag.rpartition(":")[2]

    @staticmethod
    def _without_controls(value: str, line: int) -> str:
        if not value.isprintable():
            for sign in value:
                if sign not in "\n\t" and unicodedata.category(sign) in {"Cc", "Cs"}:
                    raise YamlMistake(line, f"holds the control character U+{ord(sign):04X}; take it out")
        return value


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
