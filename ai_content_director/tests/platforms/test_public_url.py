"""Only addresses that a browser cannot read in another way than we do."""

import pytest

from lead_signals.platforms.public_url import media_url, permalink


@pytest.mark.parametrize(
    "url",
    [
        "https://www.facebook.com/700100/posts/88?comment_id=9&x=%C3%A1",
        "https://facebook.com",
        "https://m.facebook.com/88",
        "https://business.facebook.com/a",
        "https://www.instagram.com/p/AbC_-1/",
        "HTTPS://WWW.FACEBOOK.COM/1",
    ],
)
def test_an_address_of_meta_is_kept(url: str) -> None:
    assert permalink(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "http://www.facebook.com/1",
        "https://facebook.com.evil.example/1",
        "https://evilfacebook.com/1",
        "https://evil.example/facebook.com",
        "https://facebook.com@evil.example/",
        "https://user:pass@facebook.com/",
        "https://evil.example\\@facebook.com/",
        "https://facebook.com\\.evil.example/",
        "https://facebook.com:443@evil.example",
        "https://facebook.com/\n",
        "https://facebook.com/ a",
        'https://facebook.com/"onmouseover="x',
        "https://facebook.com/<b>",
        "//facebook.com/1",
        "javascript:alert(1)//https://facebook.com/",
        "https://fаcebook.com/1",
        "https://facebook.com/" + "a" * 2_048,
    ],
)
def test_anything_else_is_not(url: object) -> None:
    assert permalink(url) is None  # type: ignore[arg-type]


def test_a_picture_may_lie_anywhere_on_the_web_and_nowhere_else() -> None:
    for url in ("https://scontent.example.net/v/t1.jpg?oh=1&oe=2", "http://cdn.example.net:8080/a"):
        assert media_url(url) == url
    for url in (
        "javascript:alert(1)",
        "data:text/html,x",
        "/reel/1",
        "My Documents/a.doc",
        "file:///etc/passwd",
        "https://a@b/c",
        "https://",
        None,
        [],
    ):
        assert media_url(url) is None  # type: ignore[arg-type]
