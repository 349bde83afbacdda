"""The framing between gateway and replicas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.guest import frames
from studio.guest.frames import Decoder, Frame, FrameError, encode

_frames = st.lists(
    st.builds(
        Frame,
        st.integers(0, 255),
        st.integers(0, 2**64 - 1),
        st.binary(max_size=300),
        st.binary(max_size=3000),
    ),
    max_size=8,
)


@given(_frames, st.lists(st.integers(1, 500), min_size=1, max_size=20))
def test_any_cut_of_a_stream_gives_the_frames(sent: list[Frame], cuts: list[int]) -> None:
    data = b"".join(encode(*frame) for frame in sent)
    decoder, got, at, turn = Decoder(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        got += decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert got == sent
    assert decoder.pending == 0


@given(st.binary(max_size=2000))
def test_garbage_gives_frames_or_a_frame_error(data: bytes) -> None:
    decoder = Decoder(limit=10_000)
    try:
        for frame in decoder.feed(data):
            assert len(frame.body) <= 10_000
    except FrameError:
        return
    assert decoder.pending <= len(data)


def test_header_longer_than_the_frame_is_refused() -> None:
    with pytest.raises(FrameError):
        Decoder().feed(frames.HEAD.pack(11, 1, 1, 5))


def test_frame_over_the_limit_is_refused_before_it_has_come() -> None:
    with pytest.raises(FrameError):
        Decoder(limit=100).feed(frames.HEAD.pack(101, 1, 1, 2))


def test_header_over_64_kib_cannot_be_encoded() -> None:
    with pytest.raises(FrameError):
        encode(frames.REQUEST, 1, b"x" * 65536)
