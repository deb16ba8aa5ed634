"""How Zalo speaks: one event of one Official Account (OA) per delivery, named by `event_name`.

A person's message (`user_send_…`, `anonymous_send_…`, `user_send_group_…`), a tap on a button, and a contact form that a person
sends in are signals; everything else there is nobody speaking. No event carries a name, and none edits or removes a message.
Facts about shapes and delivery: the webhook pages of Zalo's Official Account documentation.
"""
