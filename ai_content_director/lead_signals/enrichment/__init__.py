"""HOW WE LEARN MORE: what a delivery does not say is asked of the platform later, by jobs of the worker.

A **look-up** (the row lies in `leads`, promised with the lead) is one question: the answers of a lead form, the name of a sender.
It may fail for ever without harm: the lead stands as it came. `look_up` does one, `look_up_work` is what the worker runs, a **miss** is
one that brought nothing (`when_to_ask_again` knows the reasons), and `waiting_look_ups` counts those that wait, for doctor and metrics.
"""
