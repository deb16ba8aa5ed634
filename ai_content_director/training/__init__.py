"""Fits the statistical opinion of `lead_signals.intent` on the sentences in `sentences/`; nothing of the product imports it.

`bin/train` reads the sentences, fits a logistic regression over the features that the product sees too, finds out on sentences it
has not read how far its odds are to be trusted, and writes `lead_signals/intent/statistics/statistical_model.json`. docs/intent_model.md is
its card.
"""
