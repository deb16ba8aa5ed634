"""How TikTok speaks: one event of one business account per delivery, named by `event`; what happened is JSON inside JSON (`content`).

Messages (`im_receive_msg`) and comments (`comment.update`, `im_receive_high_intent_comment`) are signals, what becomes of a comment
is a change, everything else is nobody speaking. A comment comes mostly without its author's name, often without its text.
Facts about shapes and delivery: the webhook pages of TikTok for Developers and of the TikTok API for Business.
"""
