"""Payloads gone wrong: mutated by value and by byte, many to a delivery where the platform's format holds many."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.intake.strange_bodies import STRANGE_IDS, STRANGE_JSON, STRANGE_TEXTS

PAYLOADS = Path(__file__).parents[1] / "platforms" / "payloads"
SHARE_BY_BYTE = 0.35
MOST_CHANGES = 3
MOST_TOGETHER = 40  # mutated payloads in one delivery
MOST_BYTES_TOGETHER = 200_000
SHORT = 2_000  # longer texts have tests of their own; here they would only make all slow
MANGLED = (
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xef\xbb\xbf"),
    *(b"\\u0000", b"\\ud800", b"\\u202e", b"1e999", b"-", b".", b"0", b"9" * 30, b"null", b"true", b"NaN", b"\n", b"\x7f", b"/*"),
)
NAMES = ("id", "from", "message", "text", "entry", "changes", "messaging", "value", "content", "__proto__", "constructor", "\x00", "")
IDS = frozenset({"comment_id", "mid", "leadgen_id", "msg_id", "message_id", "id"})


@dataclass(frozen=True, slots=True)
class Mutated:
    """One delivery and how many mutated payloads it holds."""

    body: bytes
    mutations: int


def mutated_deliveries(platform: str, count: int, seed: str) -> Iterator[Mutated]:
    """Deliveries of this platform that hold `count` mutated payloads of ours. The same seed makes the same ones."""
    random = Random(seed)
    paths = [path for path in sorted((PAYLOADS / platform).glob("*.json")) if not path.name.endswith(".expected.json")]
    payloads = [path.read_bytes().removeprefix(b"\xef\xbb\xbf") for path in paths]
    assert len(payloads) > 20
    gathered: dict[str, _Together] = {}  # by what stands around the entries
    for number in range(count):
        raw = random.choice(payloads)
        if random.random() < SHARE_BY_BYTE:
            yield Mutated(_by_byte(raw, random), 1)
            continue
        told = json.loads(raw)
        body = _by_value(told, random, number)
        if not _may_lie_beside_others(body, told):
            yield Mutated(written(body, random), 1)
            continue
        together = gathered.setdefault(json.dumps(_around(body)), _Together(_around(body)))
        together.add(body["entry"])
        if together.is_full:
            yield gathered.pop(json.dumps(_around(body))).taken_out(random)
    for together in gathered.values():
        yield together.taken_out(random)


def _may_lie_beside_others(body: Any, told: Any) -> bool:
    """Whether what stands around its entries is as it was told: then a strange entry harms no neighbour."""
    both_hold_entries = all(isinstance(one, dict) and isinstance(one.get("entry"), list) for one in (body, told))
    return both_hold_entries and _around(body) == _around(told)


def _around(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "entry"}


class _Together:
    """Entries of several mutated payloads, gathered into one delivery."""

    def __init__(self, around: dict[str, Any]) -> None:
        self._around = around
        self._entries: list[Any] = []
        self._mutations = self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._mutations >= MOST_TOGETHER or self._bytes > MOST_BYTES_TOGETHER

    def add(self, entries: list[Any]) -> None:
        """The entries of one more mutated payload."""
        self._entries += entries
        self._mutations += 1
        self._bytes += len(json.dumps(entries))

    def taken_out(self, random: Random) -> Mutated:
        """The delivery."""
        return Mutated(written({**self._around, "entry": self._entries}, random), self._mutations)


def written(body: Any, random: Random) -> bytes:
    """The body as a sender may write it: escaped, or as UTF-8 where that can hold it."""
    if random.random() < 0.5:
        try:
            return json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half of a surrogate pair
            pass
    return json.dumps(body).encode()


def _by_byte(raw: bytes, random: Random) -> bytes:
    for _ in range(random.randint(1, MOST_CHANGES)):
        start = random.randint(0, len(raw))
        inserted = random.choice((random.choice(MANGLED), random.randbytes(random.randint(0, 6)), raw[start : start + 40]))
        raw = raw[:start] + inserted + raw[start + random.randint(0, 4) :]
    return raw


def _by_value(told: Any, random: Random, number: int) -> Any:
    body = deepcopy(told)
    if random.random() < 0.5:
        _make_new(body, f"-{number}-{random.getrandbits(32)}")
    content = _content_of(body)
    if content is not None and random.random() < 0.7:  # TikTok's words are JSON in a text
        _change(content, random)
        body["content"] = json.dumps(content, ensure_ascii=random.random() < 0.5)
    else:
        _change(body, random)
    return body


def _content_of(body: Any) -> Any:
    try:
        content = json.loads(body["content"])
    except (KeyError, TypeError, ValueError):
        return None
    return content if isinstance(content, dict | list) else None


def _make_new(value: Any, mark: str) -> None:
    """Give messages an id that nobody has seen, so that they become leads and not duplicates."""
    for container, step in places(value):
        if step in IDS and isinstance(container[step], str):
            container[step] += mark
    content = _content_of(value)
    if content is not None:
        _make_new(content, mark)
        value["content"] = json.dumps(content)


def _change(body: Any, random: Random) -> None:
    for _ in range(random.randint(1, MOST_CHANGES)):
        if found := places(body):
            container, step = random.choice(found)
            random.choices(_CHANGES, _WEIGHTS)[0](container, step, body, random)


def _replace(container: Any, step: Any, _: Any, random: Random) -> None:
    container[step] = _strange(random)


def _remove(container: Any, step: Any, _: Any, __: Random) -> None:
    del container[step]


def _repeat(container: Any, step: Any, _: Any, random: Random) -> None:
    if isinstance(container, list):
        container += [deepcopy(container[step]) for _ in range(random.randint(1, 3))]
    else:
        container[random.choice(NAMES)] = deepcopy(container[step])


def _rename(container: Any, step: Any, _: Any, random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice(NAMES)] = container.pop(step)


def _wrap(container: Any, step: Any, _: Any, random: Random) -> None:
    container[step] = [container[step]] if random.random() < 0.5 else {random.choice(NAMES): container[step]}


def _swap(container: Any, step: Any, body: Any, random: Random) -> None:
    """Two values of the body are the same from now on; a copy, or it would hold itself."""
    other, there = random.choice(places(body))
    container[step] = deepcopy(other[there])


_CHANGES: tuple[Callable[[Any, Any, Any, Random], None], ...] = (_replace, _remove, _repeat, _rename, _wrap, _swap)
_WEIGHTS = (6, 2, 1, 1, 1, 2)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every `(container, key)` in a body, so that `container[key]` can be replaced."""
    steps = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [*((value, key) for key, _ in steps), *(found for _, child in steps for found in places(child))]


def _strange(random: Random) -> Any:
    kind = random.randrange(6)
    if kind == 0:
        return deepcopy(random.choice(STRANGE_IDS))
    if kind == 1:
        return random.choice(_TEXTS)
    if kind == 2:
        return deepcopy(random.choice(_VALUES))
    if kind == 3:
        return random.choice((random.getrandbits(70), -random.getrandbits(63), random.uniform(-1e18, 1e18), random.random(), 1e308))
    if kind == 4:
        letters = (random.choice((random.randrange(32, 127), random.randrange(0xD800), random.randrange(0x110000))) for _ in range(8))
        return "".join(map(chr, letters))
    return {random.choice(NAMES): random.choice(_TEXTS) for _ in range(random.randint(0, 4))}


def _readable(written_value: str) -> bool:
    try:
        json.loads(written_value)
    except ValueError:
        return False
    return len(written_value) <= SHORT


_TEXTS = [text for text in STRANGE_TEXTS if len(text) <= SHORT]
_VALUES = [json.loads(text) for text in STRANGE_JSON if _readable(text)]
