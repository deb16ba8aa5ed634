"""`python -m lead_signals` is the command line."""

from lead_signals.cli import cli

cli(prog_name="lead-signals")
