"""Phone numbers and e-mail addresses in a text, however they were written. Asked by `find_contact_details`; knows no rules."""
