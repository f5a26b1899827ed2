"""The errors for bodies that are larger than the settings allow."""

from __future__ import annotations

from aiwebengine.errors import TooLarge


def too_large(limit: int, length: int | None, *, own: bool) -> TooLarge:
    """
    Return the error for a body that is too large.

    Args:
        length: None if its size is not known.
        own: It was for the engine, not for a script.
    """
    size = f"this one has {length:,}" if length is not None else "this one has more"
    advice = (
        "Deploy less, in smaller files, or have the server's setting `deploy.max_total_bytes` raised."
        if own
        else "Send less at once, or have the server's setting `http.max_body_bytes` raised."
    )
    return TooLarge(f"The request's body may have at most {limit:,} bytes; {size}. {advice}")
