"""Text of strangers on a terminal: nothing in it moves the cursor, rings, colours or renames the window."""

from collections.abc import Sequence


def printable(text: str) -> str:
    """The text on one line, with every sign a terminal would act upon replaced."""
    return "".join(sign if sign.isprintable() else " " if sign in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def printable_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns, the first row being their heads; every cell made printable. Rows are as long as each other."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
