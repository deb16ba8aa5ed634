"""How WhatsApp speaks (Cloud API): `object` is `whatsapp_business_account`, signed and introduced as Meta does everything.

The *channel* is a business phone number, by its `phone_number_id`; one account (`entry`) holds several, and each *change* names its own.
What people write are the elements of a change's `messages`. Delivery states, our own words (`message_echoes`) and errors lie
beside them. Each element is one item; a change without such lists is one item.
Facts about shapes: Meta's WhatsApp Business Platform documentation, webhooks reference.
"""
