"""Lead Signals: comments and messages of Facebook, Instagram, WhatsApp, Zalo and TikTok in, leads in the right human lane out.

Read the folders as the story of the product: platforms (how they speak) → intake (the door) → intent (what they want)
→ leads → followups (what we promised). Imports go down the floors drawn in docs/walks.md.
"""

__version__ = "0.1.0"
