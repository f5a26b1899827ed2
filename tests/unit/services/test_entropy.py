"""Random bytes that are fetched many at a time."""

from __future__ import annotations

from aiwebengine.services.entropy import EntropyPool


def counted(fetched: list[int]) -> EntropyPool:
    """Make a pool whose fetches are counted; the bytes of each are told apart by its number."""

    def fetch(count: int) -> bytes:
        fetched.append(count)
        return b"".join((len(fetched) * 10_000 + number).to_bytes(4, "big") for number in range(count // 4))

    return EntropyPool(fetch=fetch)


def test_each_once() -> None:
    """No byte is given twice, and what is left at the end of a fetch is not put together with the next."""
    fetched: list[int] = []
    pool = counted(fetched)
    given = [pool.take(20) for _ in range(500)]
    assert {len(piece) for piece in given} == {20}
    assert len(set(given)) == 500
    assert fetched == [4096] * 3


def test_ids() -> None:
    """An id is twenty hexadecimal digits, each time others."""
    pool = counted([])
    ids = {pool.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(identity) for identity in ids} == {20}
