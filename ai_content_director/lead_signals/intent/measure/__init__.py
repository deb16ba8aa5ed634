"""How good the engine is on messages that people labelled: numbers, table, JSON and a picture."""
