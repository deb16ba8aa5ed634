"""Rules as data: what stands in YAML, read with its lines, checked as a whole, and made ready to match."""
