"""WHAT WE PROMISED: a follow-up is owed for an urgent lead; its attempts tell what happened each time we tried.

`request_follow_ups` promises in the transaction of the lead, `cancel_follow_ups` takes it back in that of a removal. An **endpoint** is
where a tenant wants its follow-ups (`endpoints`); a **destination** is how one speaks to it, and the only one who knows which failure is
final (`destinations`). The worker claims and sends (`delivering`); the operator looks, redrives and cancels, and receivers tell by
**receipts** what became of it (`oversight`). Promise and attempts are two tables.
"""
