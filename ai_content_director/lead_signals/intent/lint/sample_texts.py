"""Texts that a path of a wording fits, as somebody might write them."""

from collections.abc import Iterator

from lead_signals.intent.patterns.pattern import AnyOf, Wording

_SAMPLES = {
    "#number": "5",
    "#money": "200k",
    "#phone": "0912345678",
    "#email": "mua@xuong.example",
    "#link": "https://xuong.example",
    "#emoji": "😀",
    "#name": "Minh",
    "#question": "?",
}


def sample_texts(path: Wording) -> Iterator[str]:
    """A few, with other words each time and nothing in the gaps; sentences go on from word to word."""
    steps = [sorted(step.choices, key=lambda key: (key.startswith("#"), key)) for step in path.steps if isinstance(step, AnyOf)]
    told: set[str] = set()
    for number in range(3):
        text = " ".join(_SAMPLES.get(keys[(0, -1, len(keys) // 2)[number]], keys[(0, -1, len(keys) // 2)[number]]) for keys in steps)
        if text not in told:
            told.add(text)
            yield text
