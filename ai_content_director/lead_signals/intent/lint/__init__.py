"""Looks at rules beyond their sentences: what is dead, hidden behind others, contradicts or runs away."""
