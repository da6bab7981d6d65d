"""Who will receive what? Said before the first call."""

from __future__ import annotations

from .models import Address


def disclosure(address: Address, with_store: bool) -> str:
    """One or two sentences for the user.

    Args:
        address: Where the model stands.
        with_store: Whether the assistant for the own store is at hand.
    """
    if address.provider == "given":
        return f"The model {address.name} was handed in by this program, which knows where it stands."
    if address.local:
        return f"The model {address.name} runs on this machine ({address.host}): nothing leaves it."
    store = (
        "values of your own store only if its assistant is asked"
        if with_store
        else "nothing of your own store"
    )
    way = "" if address.encrypted else " The way there is not encrypted."
    return (
        f"{address.host} (model {address.name}) will receive your question, and the ids, formulas and values of the "
        f"records retrieved for it: no structures, no keys, {store}.{way}"
    )
