"""Rows of cells as a table of plain text."""

from collections.abc import Sequence


def table_columns(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """The first `left` columns stand to the left, the others, numbers, to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
