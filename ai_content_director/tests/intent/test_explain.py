"""The reason is visible in the text."""

from lead_signals.intent.explain import explain, render_explanation


def test_the_deciding_words_are_marked() -> None:
    explanation = explain("Shop ơi, giá máy phay bao nhiêu, cảm ơn")
    assert explanation.marked_text == "Shop ơi, ⟦giá máy phay bao nhiêu⟧, cảm ơn"
    assert [label for label, _ in explanation.scores] == ["inquiry_price", "thanks"]


def test_the_lines_tell_the_whole_story() -> None:
    lines = render_explanation(explain("Báo giá giúp anh nhé, 0912 345 678"))
    told = "\n".join(lines)
    for expected in (
        "⟦Báo giá⟧",
        "inquiry_price  0.930",
        "priority high",
        "lane new_auto",
        "asks for a quotation",
        "(0–7)",
        "+84912345678",
        "rule pack",
    ):
        assert expected in told, told


def test_nothing_found_is_said_so() -> None:
    lines = render_explanation(explain("mưa to quá"))
    assert "because: no rule speaks" in lines


def test_a_text_cannot_steer_the_terminal() -> None:
    lines = render_explanation(explain("\x1b[2J\x07 báo giá\r\n\u202e nhé"))
    assert all(line.isprintable() for line in lines)
