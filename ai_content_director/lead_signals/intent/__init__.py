"""What does this person want? Text in, verdict out.

Words owned here: intent label, priority, confidence score, lane, evidence, rule, rule pack, statistical opinion, contact details.
Pure functions: no database, no web, no settings, no clock; the packaged rules and the model are read from disk once. Anybody above
may call `classify`, `explain`, `find_contact_details`; the slice calls nobody. The way through it: `classify` looks for contact
details (`contact`), folds the text into tokens (`folding`), walks the rules over them (`patterns`, `pack`), weighs what they found
(`evidence`), asks the statistics, which have heard the rules (`statistics`), decides, and names the lane. Beside the way stand
`explaining`, `measure`, `lint` and a tenant's `own_rules`.
"""
