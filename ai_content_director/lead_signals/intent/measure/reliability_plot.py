"""The reliability of an evaluation as one SVG: how often verdicts of each confidence are right, and how many there are.

Drawn by hand for a column of 480 units: on a phone of 390 pixels its smallest letters are still 12 pixels high.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from lead_signals.intent.lane import AUTO_FLOOR, DRAFT_FLOOR
from lead_signals.intent.measure.evaluation import Evaluation
from lead_signals.intent.measure.reliability import ReliabilityBin
from lead_signals.printable import printable

WIDTH, HEIGHT = 480, 668
LEFT, RIGHT = 62, 462  # of both drawings; one unit of confidence is 400 wide
TOP, BOTTOM = 104, 504  # of the accuracy
COUNTS_TOP, COUNTS_BOTTOM = 550, 610
LONGEST_NAME = 54
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_STYLE = (
    "text{font:15px system-ui,sans-serif;fill:#1f2933}.h{font-size:19px;font-weight:600}.s{fill:#52606d}"
    ".r{text-anchor:end}.m{text-anchor:middle}.g{stroke:#e4e7eb}.a{stroke:#7b8794}"
    ".d{stroke:#52606d;stroke-width:1.5;stroke-dasharray:6 5}.f{stroke:#b44d12;stroke-width:1.5;stroke-dasharray:2 4}.o{fill:#9c4221}"
    ".b{fill:#bcd7f0}.p{fill:#0b5394}.q{fill:#fff;stroke:#0b5394;stroke-width:2}.c{fill:#8fb8de}"
)


def reliability_plot(evaluation: Evaluation) -> str:
    """A whole SVG document. Bars and full dots are lenient accuracy, rings strict accuracy; dots stand at the mean confidence."""
    bins = [one for one in evaluation.reliability if one.count]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc">',
            f'<title id="title">Reliability of {evaluation.messages:,} verdicts</title>',
            f'<desc id="desc">{_escaped(_told(evaluation, bins))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *_heading(evaluation),
            *_grid(),
            *(_bar(one) for one in bins),
            f'<line class="d" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
            *_floor(DRAFT_FLOOR, "draft"),
            *_floor(AUTO_FLOOR, "auto"),
            *(_dot(one.confidence, one.strict_accuracy, "q", 6) for one in bins),
            *(_dot(one.confidence, one.lenient_accuracy, "p", 5) for one in bins),
            *_counts(evaluation.reliability),
            "</svg>\n",
        )
    )


def _told(evaluation: Evaluation, bins: Sequence[ReliabilityBin]) -> str:
    """The drawing in words, for who does not see it."""
    each = "; ".join(
        f"confidence {one.low:.1f} to {one.high:.1f}: {one.count:,} messages, mean confidence {one.confidence:.2f},"
        f" {one.lenient_accuracy:.2f} right, {one.strict_accuracy:.2f} strictly right"
        for one in bins
    )
    return (
        f"How often verdicts are right, by how sure they were. Expected calibration error {evaluation.ece:.3f} lenient,"
        f" {evaluation.ece_strict:.3f} strict. Leads go to the draft lane from {DRAFT_FLOOR:.2f}, to the auto lane from"
        f" {AUTO_FLOOR:.2f}. {each}. Rule pack {evaluation.rule_pack}."
    )


def _heading(evaluation: Evaluation) -> list[str]:
    summary = f"{evaluation.messages:,} messages, ECE {evaluation.ece:.3f}, strict {evaluation.ece_strict:.3f}"
    pack = evaluation.rule_pack if len(evaluation.rule_pack) <= LONGEST_NAME else evaluation.rule_pack[: LONGEST_NAME - 1] + "…"
    return [
        '<text class="h" x="16" y="30">How often is it right when it is sure?</text>',
        f'<text class="s" x="16" y="52">{summary}</text>',
        f'<text class="s" x="16" y="72">{_escaped(pack)}</text>',
        '<circle class="p" cx="22" cy="87" r="5"/><text class="s" x="34" y="92">acceptable</text>',
        '<circle class="q" cx="146" cy="87" r="6"/><text class="s" x="158" y="92">the label itself</text>',
        '<line class="d" x1="284" y1="87" x2="316" y2="87"/><text class="s" x="324" y="92">keeps its word</text>',
    ]


def _grid() -> list[str]:
    lines = []
    for tick in _TICKS:
        lines += [
            f'<line class="g" x1="{LEFT}" y1="{_y(tick)}" x2="{RIGHT}" y2="{_y(tick)}"/>',
            f'<text class="r s" x="{LEFT - 8}" y="{_y(tick) + 5}">{tick:.1f}</text>',
            f'<text class="m s" x="{_x(tick)}" y="{BOTTOM + 20}">{tick:.1f}</text>',
        ]
    return [
        *lines,
        f'<line class="a" x1="{LEFT}" y1="{BOTTOM}" x2="{RIGHT}" y2="{BOTTOM}"/>',
        f'<text class="m" transform="translate(16 {(TOP + BOTTOM) // 2}) rotate(-90)">share that is right</text>',
    ]


def _bar(one: ReliabilityBin) -> str:
    accuracy = one.lenient_accuracy or 0.0
    left, width = _x(one.low) + 1, _x(one.high) - _x(one.low) - 2
    return f'<rect class="b" x="{left:g}" y="{_y(accuracy):g}" width="{width:g}" height="{BOTTOM - _y(accuracy):g}"/>'


def _floor(at: float, lane: str) -> list[str]:
    """The line from which a lane begins, its name beside the line: to the left, for to the right of 0.85 there is little room."""
    return [
        f'<line class="f" x1="{_x(at)}" y1="{TOP}" x2="{_x(at)}" y2="{BOTTOM}"/>',
        f'<text class="o" transform="translate({_x(at) - 6:g} {BOTTOM - 10}) rotate(-90)">{lane} from {at:.2f}</text>',
    ]


def _dot(confidence: float | None, accuracy: float | None, kind: str, radius: int) -> str:
    return f'<circle class="{kind}" cx="{_x(confidence or 0.0):g}" cy="{_y(accuracy or 0.0):g}" r="{radius}"/>'


def _counts(bins: Sequence[ReliabilityBin]) -> list[str]:
    most = max(one.count for one in bins)
    lines = []
    for one in bins:
        height = round((COUNTS_BOTTOM - COUNTS_TOP) * one.count / most, 1)
        left, width = _x(one.low) + 1, _x(one.high) - _x(one.low) - 2
        if one.count:
            lines += [
                f'<rect class="c" x="{left:g}" y="{COUNTS_BOTTOM - height:g}" width="{width:g}" height="{height:g}"/>',
                f'<text class="m" x="{left + width / 2:g}" y="{COUNTS_BOTTOM - height - 5:g}">{_short(one.count)}</text>',
            ]
    return [
        *lines,
        f'<line class="a" x1="{LEFT}" y1="{COUNTS_BOTTOM}" x2="{RIGHT}" y2="{COUNTS_BOTTOM}"/>',
        f'<text class="m" x="{(LEFT + RIGHT) // 2}" y="{COUNTS_BOTTOM + 22}">confidence, and how many texts have it</text>',
        f'<text class="m s" x="{(LEFT + RIGHT) // 2}" y="{COUNTS_BOTTOM + 44}">bars: ten bins of equal width</text>',
    ]


def _short(count: int) -> str:
    """A count in five characters at most: 1234 stays, 12,345 is 12k."""
    return str(count) if count < 10_000 else f"{count // 1000}k" if count < 10_000_000 else f"{count // 1_000_000}M"


def _x(confidence: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * confidence, 1)


def _y(accuracy: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * accuracy, 1)


def _escaped(text: str) -> str:
    return escape(printable(text))
