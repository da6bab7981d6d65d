"""One way to write the time."""

from datetime import UTC, datetime


def utc_now() -> str:
    """Now, ISO 8601 to the second, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
