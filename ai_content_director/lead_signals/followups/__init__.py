"""WHAT WE PROMISED: a follow-up is owed for an urgent lead; its attempts tell what happened each time we tried.

`request_follow_ups` promises in the transaction of the lead, `cancel_follow_ups` takes it back in that of a removal; the worker claims
and `deliver`s; `n8n_webhook` speaks to the receiver and is the only one who knows which failure is final. Promise and attempts are two
tables.
"""
