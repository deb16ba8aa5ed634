"""The frame every console page stands in: page skeleton, style sheet, language (Vietnamese first, English), static files.

Words: *frame* (title, language, switcher: what stands around the content), *words* (what a page says, in one language),
*unseen characters* (those that hide or reorder text; always shown by their code). Slices above bring their own templates and
words and hand over values; the frame knows no tenant, no lead and no database.
"""
