"""How many tasks may use at once what there is little of?

Tasks that compute on a GPU, or that ask the Materials Project, carry a tag (`discovery.py`). A Prefect server that
has a limit for the tag lets no more of them run at once, whichever run they belong to; one that has none lets all
of them.
"""

from __future__ import annotations

from typing import Any

LIMITS = {"gpu": 1, "materials-project": 1}
"""Tasks at once, by tag: one process fills a GPU, and the Materials Project asks for patience."""


def make_limits(settings: dict[str, Any]) -> list[str]:
    """Make the limits that runs with these settings call for, where the server has none. Returns the tags that are limited.

    Args:
        settings: A resolved RUN.toml.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectAlreadyExists

    wanted = [tag for tag, used in _uses(settings).items() if used]
    with get_client(sync_client=True) as client:
        for tag in wanted:
            try:
                client.create_global_concurrency_limit(
                    GlobalConcurrencyLimitCreate(name=f"tag:{tag}", limit=LIMITS[tag])
                )
            except ObjectAlreadyExists:
                continue  # somebody has chosen a number
    return wanted


def _uses(settings: dict[str, Any]) -> dict[str, bool]:
    sources = {table["name"] for table in settings.get("source", ())}
    return {
        "gpu": settings.get("potential", {}).get("device", "cpu") != "cpu",
        "materials-project": "materials-project" in sources,
    }
