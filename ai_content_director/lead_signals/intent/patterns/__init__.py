"""How rules write wordings down, and the walk that compares a text with all of them at once. Knows tokens, no rules."""
