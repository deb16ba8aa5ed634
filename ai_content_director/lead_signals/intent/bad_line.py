"""A line of JSON lines that cannot be used, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadLine:
    """`number` counts from 1, blank lines included; `problem` says what is wrong and quotes no more of the line than a label."""

    number: int
    problem: str
