"""Which headers decide who asks."""

from studio.server.authentication import credentials


def test_only_deciding_headers_are_read() -> None:
    sent = [(b"host", b"x"), (b"x-studio-user", b"eve"), (b"x-studio-via", b"key"), (b"x-studio-credential", b"k1")]
    assert credentials({"headers": sent}) == {b"x-studio-via": "key", b"x-studio-credential": "k1"}


def test_a_header_sent_twice_counts_as_not_sent() -> None:
    sent = [(b"x-studio-via", b"key"), (b"x-studio-credential", b"k1"), (b"x-studio-credential", b"k2")]
    assert credentials({"headers": sent}) == {b"x-studio-via": "key"}
    assert credentials({"headers": [*sent, (b"x-studio-credential", b"k1")]}) == {b"x-studio-via": "key"}
