"""The main job as a Prefect flow: it reads like the method section.

A task takes a run id, a store address and a chunk number; crystals travel through the store and never
between tasks. Every chunk is written together with the mark that it is done, so a killed run goes on
where it stopped.
"""

from __future__ import annotations

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from . import memory, refinement, steps
from .run import Run, recorded

_KEEP_IN_STORE = {"persist_result": False, "cache_policy": NO_CACHE}


@task(name="retrieve", retries=2, retry_delay_seconds=[2, 10], **_KEEP_IN_STORE)
def retrieve(run: Run) -> int:
    return steps.retrieve(run)


@task(name="generate", task_run_name="generate-{chunk}", **_KEEP_IN_STORE)
def generate(run: Run, chunk: int) -> int:
    return steps.generate(run, chunk)


@task(name="select", **_KEEP_IN_STORE)
def select(run: Run) -> int:
    return steps.select(run)


@task(name="relax", task_run_name="relax-{chunk}", **_KEEP_IN_STORE)
def relax(run: Run, chunk: int) -> int:
    return steps.relax(run, chunk)


@task(name="screen", task_run_name="screen-{chunk}", **_KEEP_IN_STORE)
def screen(run: Run, chunk: int) -> int:
    return steps.screen(run, chunk)


@task(name="refine", task_run_name="refine-{place}", **_KEEP_IN_STORE)
def refine(run: Run, place: int) -> str:
    return refinement.refine(run, place)


@task(name="rank", **_KEEP_IN_STORE)
def rank(run: Run) -> int:
    return steps.rank(run)


@task(name="second-opinion", **_KEEP_IN_STORE)
def second_opinion(run: Run) -> int:
    return steps.second_opinion(run)


@task(name="export", **_KEEP_IN_STORE)
def export(run: Run) -> str:
    return steps.export(run)


@flow(name="discover", persist_result=False, validate_parameters=False)
def discover_run(run_id: str, store_url: str, out_dir: str) -> str:
    """Carry out, or go on with, a run that the store holds. Returns the report's path."""
    log = get_run_logger()
    run = Run(run_id, store_url, out_dir)
    with recorded(run):
        log.info("%s: %d known materials", run_id, retrieve(run))
        log.info("memory: %s", memory.remembered(run).sentence or "no earlier run of this question")
        for chunk in steps.generate_chunks(run):
            log.info("generate %d: %d new crystals", chunk, generate(run, chunk))
        select(run)
        for chunk in steps.relax_chunks(run):
            log.info("relax %d: %d crystals", chunk, relax(run, chunk))
        for chunk in steps.screen_chunks(run):
            log.info("screen %d: %d crystals", chunk, screen(run, chunk))
        for place in refinement.refine_places(run):
            log.info("refine %d: %s", place, refine(run, place))
        log.info("shortlist: %d candidates", rank(run))
        if run.settings.potential.second_opinion:
            log.info("second opinion on %d candidates", second_opinion(run))
        return export(run)


@flow(name="scheduled-discover", persist_result=False, validate_parameters=False)
def discover(settings: dict, store_url: str, out_root: str) -> str:
    """What a schedule fires: a new run each time, with the next seed.

    Args:
        settings: A resolved RUN.toml.
        store_url: Where candidates live.
        out_root: Each run writes to a folder of its own inside.
    """
    from .launch import new_run

    run = new_run(settings, store_url, out_root=out_root, advance_seed=True)
    return discover_run(run.run_id, run.store_url, run.out_dir)
