"""What the product can carry on this machine, measured beside what something plain could carry in the same minute.

`intake` starts a clean server of its own and speaks to the product as the outside does: over HTTP, by the command line and, to look
afterwards, by the tables. `intent` calls the engine, which is a library, in its own process. `python -m bench` is the entrance
(`bin/bench`); nothing of the product imports this folder.
"""
