"""Bodies and texts that broke somebody once: each must be taken, quarantined or refused, and never be our fault. Our own."""

DEEP = "[" * 30 + "]" * 30

# Written where a JSON value may stand; some are JSON, some only look like it.
STRANGE_JSON = (
    *("NaN", "-NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1e308", "-0", "0e1", "01", "1.", ".5", "0x10", "+1"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775809", "9" * 400, "1" + "0" * 4_000, "0." + "3" * 4_000),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\\u0000b"', '"\\u2028\\u2029"', '"\\ufeff"'),
    *('"\\uD800\\uDC0"', '"\\x41"', '"\t"', '"\n"', '"\x7f"', "'single'", '"unclosed', '"\\"', '"\\u00"'),
    *("", " ", "null", "true", "false", "nul", "undefined", "[]", "{}", "[,]", "[1,]", "{,}", '{"a":1,}', '{"a"}', '{"a":}', "{1:2}"),
    *('{"":""}', '{"\\u0000":1}', '{"a":1,"a":2}', '{"__proto__":{"x":1}}', '{"$ne":null}', "/* c */ 1", "1 // c", "1;2", "{}{}"),
    *(DEEP, '{"a":' * 30 + "1" + "}" * 30, "[" + "{}," * 500 + "{}]", '"' + "a" * 300_000 + '"', '"' + "đ" * 70_000 + '"'),
)
STRANGE_TEXTS = (
    *(
        "",
        " ",
        "\n",
        "\t\r\n",
        "\x00",
        "a\x00b\x00",
        "\x1b[2J\x1b]0;x\x07",
        "\x7f\x80\x9f",
        "\u2028x\u2029",
        "\ufeffBOM",
        "\u00ad\u200b\u200d\u2060",
    ),
    *(
        "\u202egiá oáb\u202c",
        "\u2066\u2067x\u2069",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "e\u0301" * 500,
        "Z" + "\u0335" * 2_000,
        "đ" * 65_536,
        "đ" * 65_537,
        "😀" * 65_536,
    ),
    *(
        "Cho tôi báo giá".encode().decode("latin-1"),
        "Cho to\u0302i ba\u0301o gia\u0301",
        "ＣＨＯ ＴＯ̂Ｉ",
        "ﷺ",
        "\U0010ffff\ufffe\uffff",
        "\U000e0041\U000e0042",
    ),
    *(
        "'; DROP TABLE lead_signals; --",
        "%s%n%d%x",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "=cmd|'/C calc'!A0",
        "<script>alert(1)</script>",
        "\\",
        "\\u0000",
    ),
    *(
        "0" * 3_000,
        "0912 345 678 " * 500,
        "a@b.c " * 2_000,
        "(" * 5_000,
        "a" * 65_536,
        "giá " * 16_000,
        "ba o nhieu " * 6_000,
        "..." * 20_000,
    ),
)
# Where an id is expected: the longest we take is 512 characters, 2,048 bytes at four bytes each.
STRANGE_IDS = (
    *(0, 1, -1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 1.5, True, False, None, [], {}, [1], {"id": 1}),
    *("", " ", "0", "\x00", "a\x00", "x" * 512, "😀" * 512, "x" * 513, "x" * 5_000, "\u202e1", "1\n2", "-1", "1_2_3", "null", "' OR 1=1"),
)
