"""What ends a bench with one sentence for whoever runs it."""


class BenchError(Exception):
    """The bench cannot go on; the message says what was wrong, where, and what to do."""
