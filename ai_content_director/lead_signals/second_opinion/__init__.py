"""How we ask a model when the rules do not understand: later, by the worker, within a budget, and never against a person.

Words owned here: opinion (an intent and how sure the model is), budget of a day, remembered answer, shadow mode (recorded, nothing
changed). The requests lie in `leads` and are promised with the lead; the model is reached through `language_model`.
The worker runs `opinion_work`; nobody else calls the slice but the command line, for its report.
"""
