"""What we ask a language model: one message, fenced as data, and one answer out of the ten labels.

Words owned here: prompt, opinion, refusal (why there is none). Any server that speaks OpenAI's protocol will do. No database here,
no settings and nothing kept: a question goes out masked, a value comes back or a refusal that says whether to ask again.
"""
