"""What happened, append-only: who did what to which thing, and when.

The application role may insert and read audit events; nobody may change or delete one (a trigger refuses even the owner).
Events hold ids, labels and numbers, never what a person wrote.
"""
