"""Starts runs and resumes them: the run's row first, then Prefect, then the flow."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..core.errors import OutputError, SettingsError
from ..core.settings import data_file
from ..export.folders import prepare_folder
from .run import Run, open_store
from .tables import CATALOG, FITTED

VERSIONED = ("hysteron", "chgnet", "torch", "pymatgen", "spglib", "SMACT")
"""Packages whose version can change a result."""


def new_run(
    settings: dict[str, Any],
    store_url: str,
    out: str | Path | None = None,
    out_root: str | Path = "hysteron-runs",
    advance_seed: bool = False,
    schedule: str = "",
) -> Run:
    """Write the run's row, before any work.

    Args:
        settings: A resolved RUN.toml as JSON.
        store_url: Where candidates live.
        out: Output folder; one that is not empty is refused.
        out_root: Without `out`, the run writes to `OUT_ROOT/RUN_ID`.
        advance_seed: Take a seed that no run of the store had, however these ended, as a schedule does.
        schedule: Name of the schedule that begins it.
    """
    store_url = keep_password(store_url)
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    out_dir = claim_folder(Path(out) if out else Path(out_root) / run_id)
    store = open_store(store_url)
    if advance_seed:
        seed = store.next_seed(settings["run"]["seed"])
        settings = settings | {"run": settings["run"] | {"seed": seed}}
    store.create_run(
        run_id,
        seed=settings["run"]["seed"],
        config=settings,
        versions=versions(settings["potential"]["name"]),
        budget={key: settings["run"][key] for key in ("budget", "relaxations")},
        work=("out", 0, {"folder": str(out_dir), "schedule": schedule}),
    )
    return Run(run_id, store_url, str(out_dir))


def resume(run_id: str, store_url: str, force: bool = False) -> Run:
    """Find a run to go on with.

    Args:
        run_id: Its id, or `last`.
        store_url: The store that holds it.
        force: Go on although code or models are other ones.

    Raises:
        NotFoundError: no such run.
        SettingsError: code or model versions differ and `force` is not set.
    """
    store_url = keep_password(store_url)
    store = open_store(store_url)
    row = store.get_run(run_id)
    now = versions(row.config["potential"]["name"])
    changed = sorted(k for k in now.keys() | row.versions.keys() if now.get(k) != row.versions.get(k))
    if changed and not force:
        was = ", ".join(f"{k} {row.versions.get(k)} -> {now.get(k)}" for k in changed)
        raise SettingsError(
            f"Run {row.run_id} was made by other versions ({was}). Resume it with --force, or start anew."
        )
    folder = store.work_done(row.run_id, "out")[0]["folder"]
    return Run(row.run_id, store_url, folder)


def keep_password(store_url: str) -> str:
    """The address as it may travel: a path is complete, a password stays in `HYSTERON_STORE` of this process and its children."""
    from ..store.address import read_address

    address = read_address(store_url)
    if address.path is not None:
        return str(address.path)
    if address.url.password:
        os.environ["HYSTERON_STORE"] = address.url.render_as_string(hide_password=False)
        return address.url._replace(password=None).render_as_string()
    return store_url


def versions(potential: str) -> dict[str, str]:
    """Versions of the packages and hashes of the tables that decide a result of a run with this potential.

    Raises:
        MissingDataError: the potential has no hull table.
    """
    import hashlib

    from ..predictors.hull.table import found_table

    table = found_table(potential=potential)
    found = {name: version(name) for name in VERSIONED}
    fitted = [(name, data_file(name)) for name in FITTED]
    for name, place in ((CATALOG, data_file(CATALOG)), (table.name, table), *fitted):
        found[name] = hashlib.sha256(place.read_bytes()).hexdigest()[:12]
    return found


def claim_folder(path: Path) -> Path:
    """Make an output folder, and see that it is empty and can be written.

    Raises:
        OutputError: it is not empty, is no folder, or cannot be written.
    """
    path = path.expanduser().absolute()
    if path.is_dir() and os.access(path, os.R_OK) and any(path.iterdir()):
        raise OutputError(f"{path} is not empty. Choose another --out, or go on with its run by --resume.")
    return prepare_folder(path)
