"""Lead signals: one row for each time a person said something a business should hear, and the posts that drew them.

`lead_signal` is the table and its words, `content_item` the posts, `open_leads` writes a delivery's leads exactly once,
`lead_list` reads them for the API (`lead_routes`) and the first console page (`lead_pages`). What becomes of a message later is a
`message_change`: `record_changes` keeps it, `apply_changes` brings its lead to what all its changes say, both under `hold_history`.
Status words are drawn once, in `lead_signal.LeadStatus`, and the database's CHECK keeps them.
"""
