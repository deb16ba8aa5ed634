"""From what was found to what it says: which rules speak, and how much each intent weighs."""
