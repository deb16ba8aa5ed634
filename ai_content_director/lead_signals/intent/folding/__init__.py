"""A text as tokens that match however they were typed, each remembering its place. Everything else of the slice reads tokens."""
