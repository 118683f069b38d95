"""When a log commits, and when it begins a new segment."""

from __future__ import annotations

from attrs import frozen

from c2kit.errors import UsageError

__all__ = ["LogSettings"]


@frozen(kw_only=True)
class LogSettings:
    """A block is due when it has so many bytes or is so old; a segment that has so many or is so old gets no more."""

    block_bytes: int = 1_000_000
    block_age_ns: int = 200_000_000
    segment_bytes: int = 256_000_000
    segment_age_ns: int = 24 * 3600 * 1_000_000_000

    def __attrs_post_init__(self) -> None:
        """Refuse what would never end."""
        for name in ("block_bytes", "block_age_ns", "segment_bytes", "segment_age_ns"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} of a log", expected="more than 0", found=getattr(self, name))
