"""Findings of the lint for a terminal and for programs. Rules may be of strangers: nothing of them steers a terminal."""

from collections.abc import Sequence

import orjson

from lead_signals.intent.lint.finding import Finding
from lead_signals.printable import printable


def render_findings(findings: Sequence[Finding]) -> list[str]:
    """A line for each, as editors and CI read them, and one that counts."""
    lines = [
        printable(
            f"{one.place}: {'error' if one.is_error else 'hint'}: {one.kind}: rule {one.rule!r}: {one.pattern!r}: {one.advice}",
        )
        for one in findings
    ]
    errors = sum(one.is_error for one in findings)
    return [*lines, f"{_counted(errors, 'error')}, {_counted(len(findings) - errors, 'hint')}."]


def findings_json(findings: Sequence[Finding]) -> str:
    """The same as one JSON document."""
    errors = sum(one.is_error for one in findings)
    listed = [
        {
            "kind": one.kind.value,
            "is_error": one.is_error,
            "file": one.place.file,
            "line": one.place.line,
            "rule": one.rule,
            "pattern": one.pattern,
            "advice": one.advice,
        }
        for one in findings
    ]
    return orjson.dumps({"findings": listed, "errors": errors, "hints": len(findings) - errors}, option=orjson.OPT_INDENT_2).decode()


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
