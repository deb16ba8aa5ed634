"""The second voice: a model fitted on sentences of our own that has heard the rules. Read from JSON, added up, explained by words."""
