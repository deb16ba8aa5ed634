"""What does this person want? Text in, verdict out.

Words owned here: intent label, priority, confidence score, lane, evidence, rule, rule pack, contact details.
Pure functions: no database, no web, no settings, no clock; the packaged rule packs are read from disk once. Anybody above
may call `classify`, `explain`, `find_contact_details`; the slice calls nobody. The way through it: `classify` looks for
contact details, folds the text into tokens, walks the rule pack over them, weighs the evidence, and names the lane.
"""
