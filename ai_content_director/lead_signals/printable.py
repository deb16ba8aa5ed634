"""Text of strangers on a terminal: nothing in it moves the cursor, rings, colours or renames the window."""


def printable(text: str) -> str:
    """The text on one line, with every sign a terminal would act upon replaced."""
    return "".join(sign if sign.isprintable() else " " if sign in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)
