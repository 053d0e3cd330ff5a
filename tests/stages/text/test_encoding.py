from __future__ import annotations

from sutradhar.stages.text.encoding import encoded


def test_mark_and_line_ends_are_as_asked_for() -> None:
    assert encoded("1\nhé\n", bom=False, newline="lf") == b"1\nh\xc3\xa9\n"
    assert encoded("1\nh\n", bom=True, newline="crlf") == b"\xef\xbb\xbf1\r\nh\r\n"
