"""The candidate store as the rest of the project uses it.

    with CandidateStore.open() as store:
        store.upsert(candidates, run_id, role="proposed", work=("relax", 3, {"ids": ids}))
        best = store.query('band_gap > 2 AND passes HAS "ferroelectric"', sort="polarization", descending=True)

The unit of writing is a chunk of tens to hundreds of candidates; a chunk is written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ..core.candidate import Candidate
from ..core.clock import utc_now
from ..core.errors import InputError
from ..core.filters import Filter
from . import history, leases, lessons, reading, relations, runs
from .address import prepare_file, read_address
from .database import Database
from .history import PastWork
from .leases import Lease
from .lessons import StoredLesson
from .migrate import bring_up_to_date
from .query import conditions, find
from .relations import Ancestor
from .runs import RunRow
from .schema import candidates as candidate_table
from .writing import Membership, batches, prepare, write_candidates, write_membership

if TYPE_CHECKING:
    from pymatgen.core import Structure

Work = tuple[str, int, Any]
"""Stage, chunk and payload of a piece of work that is done."""


class CandidateStore:
    """Runs, candidates, lineage and verdicts in one database; made by `open`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str | Path | None = None, create: bool = True) -> CandidateStore:
        """Open a store, and bring its tables up to date.

        Args:
            url: A path, `sqlite:///PATH` or `postgresql://...`; `None` is `HYSTERON_STORE` or the file in
                `HYSTERON_HOME`.
            create: Whether a SQLite file that is not there is made.

        Raises:
            StoreError: it cannot be opened or written, or a newer program made it.
        """
        address = read_address(url)
        if address.path is not None:
            prepare_file(address.path, create)
        database = Database(address)
        try:
            bring_up_to_date(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def __enter__(self) -> CandidateStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    @property
    def url_shown(self) -> str:
        """The address as it may be printed, without a password."""
        return self._database.address.shown

    # Runs

    def create_run(
        self,
        run_id: str,
        seed: int,
        config: dict[str, Any],
        versions: dict[str, Any] | None = None,
        budget: Any = None,
        work: Work | None = None,
    ) -> None:
        """Write the row of a new run, with the resolved settings, what can change a result, and a piece of work that is done.

        Raises:
            InputError: the name is taken, or is no name.
        """

        def write(connection):
            runs.create_run(connection, run_id, seed, config, versions or {}, budget)
            if work is not None:
                runs.write_work(connection, run_id, *work, "done")

        self._database.write(write)

    def set_status(self, run_id: str, status: str) -> None:
        """Note that a run is `running`, `failed` or `interrupted`."""
        self._database.write(lambda c: runs.set_status(c, run_id, status))

    def finish_run(
        self, run_id: str, status: str = "finished", summary: dict[str, Any] | None = None
    ) -> None:
        """Note how a run ended, and what it reported."""
        self._database.write(lambda c: runs.set_status(c, run_id, status, summary))

    def get_run(self, run_id: str = runs.LAST) -> RunRow:
        """One run; `last` is the one created last.

        Raises:
            NotFoundError: no such run; the message proposes the nearest names.
        """
        return self._database.read(lambda c: runs.get_run(c, run_id))

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """Runs, the newest first."""
        return self._database.read(lambda c: runs.list_runs(c, limit))

    def next_seed(self, at_least: int = 0) -> int:
        """A seed that no run of the store had: at least the one given, and greater than all of them."""
        return self._database.read(lambda c: runs.next_seed(c, at_least))

    def run_members(self, run_id: str, role: str | None = None) -> list[str]:
        """Ids of a run's candidates by chunk and id; `role` is `seed` or `proposed`."""
        return self._database.read(lambda c: runs.members(c, run_id, role))

    def run_ids_of(self, candidate_id: str, stages: Collection[str] | None = None) -> list[str]:
        """The runs a candidate belongs to, sorted; only those in which it has reached one of these stages, if any are named."""
        return self._database.read(lambda c: relations.run_ids_of(c, candidate_id, stages))

    def set_ranking(self, run_id: str, positions: Sequence[tuple[str, int]]) -> None:
        """Replace a run's ranking by (candidate_id, position from 1).

        Raises:
            NotFoundError: a candidate or the run is not in the store.
        """

        def write(connection):
            keys = reading.keys_of(connection, [identifier for identifier, _ in positions])
            runs.set_ranking(
                connection, run_id, [(keys[identifier], place) for identifier, place in positions]
            )

        self._database.write(write)

    def ranking(self, run_id: str) -> list[tuple[str, int]]:
        """(candidate_id, position) of a run's ranking, the best first."""
        return self._database.read(lambda c: runs.ranking(c, run_id))

    # Who carries a run out

    def lease(self, run_id: str) -> Lease | None:
        """The lease of a run; its holder is empty if it was given back."""
        return self._database.read(lambda c: leases.find(c, run_id))

    def leases(self) -> list[Lease]:
        """Runs in somebody's hands, whether that process still lives or not."""
        return self._database.read(leases.held)

    def take_lease(
        self, run_id: str, holder: str, place: dict[str, Any], instead_of: Lease | None = None
    ) -> bool:
        """Take a run that nobody holds, or that `instead_of` holds unchanged. Returns whether it is ours.

        Raises:
            NotFoundError: no such run.
        """
        return self._database.write(lambda c: leases.take(c, run_id, holder, place, instead_of))

    def renew_lease(self, run_id: str, holder: str) -> bool:
        """Say that the holder lives. Returns whether the run is still in its hands."""
        return self._database.write(lambda c: leases.renew(c, run_id, holder))

    def end_lease(self, run_id: str, holder: str, status: str, summary: dict[str, Any] | None = None) -> bool:
        """Note how a run ended and give it out of one's hands, both or neither. Returns whether it was in them."""

        def write(connection):
            ours = leases.release(connection, run_id, holder)
            if ours:
                runs.set_status(connection, run_id, status, summary)
            return ours

        return self._database.write(write)

    def crash(self, seen: Lease) -> bool:
        """Say of a run that its process died, unless its lease has changed since it was seen. Returns whether it was said."""
        return self._database.write(lambda c: leases.crash(c, seen))

    # Work, for resuming

    def plan_work(self, run_id: str, stage: str, chunk: int, payload: Any) -> None:
        """Note what a chunk of a stage will do; one that is done stays done."""
        self._database.write(lambda c: runs.write_work(c, run_id, stage, chunk, payload, "planned"))

    def work_planned(self, run_id: str, stage: str) -> dict[int, Any]:
        """Payloads of the chunks that are planned and not done, by chunk."""
        return self._database.read(lambda c: runs.read_work(c, run_id, stage, "planned"))

    def work_done(self, run_id: str, stage: str, chunk: int | None = None) -> dict[int, Any]:
        """Payloads of the chunks that are done, or of one of them, by chunk."""
        return self._database.read(lambda c: runs.read_work(c, run_id, stage, "done", chunk))

    # What came before

    def done_before(self, run_id: str, stage: str, of_runs: Collection[str] | None = None) -> list[PastWork]:
        """Finished pieces of a stage that other runs had done when this run began, oldest first (see `history.py`)."""
        return self._database.read(lambda c: history.done_before(c, run_id, stage, of_runs))

    def earlier_configs(self, run_id: str) -> dict[str, Any]:
        """Resolved settings of the runs that had begun before this one did, by run id, oldest first."""
        return self._database.read(lambda c: history.earlier_configs(c, run_id))

    def work_of(self, run_ids: Iterable[str], stages: Collection[str]) -> dict[str, dict[str, list[Any]]]:
        """Payloads of the finished work of several runs: by run id and stage, in the order of chunks."""
        wanted = list(run_ids)
        return self._database.read(lambda c: history.work_of(c, wanted, stages))

    # What DFT taught

    def add_lesson(self, content: dict[str, Any]) -> StoredLesson:
        """Keep a lesson as the newest one; if the newest says the same, nothing is written and that one is given."""
        return self._database.write(lambda c: lessons.add(c, content, utc_now()))

    def lesson(self, version: str = lessons.LAST) -> StoredLesson:
        """The lesson of a version, of which the beginning will do; `last` is the newest.

        Raises:
            NotFoundError: there is none.
            InputError: several versions begin like that.
        """
        return self._database.read(lambda c: lessons.find(c, version))

    def newest_lesson(self) -> StoredLesson | None:
        """The one that was made last, if there is any."""
        return self._database.read(lessons.newest)

    def lessons(self) -> list[StoredLesson]:
        """All lessons, the newest first."""
        return self._database.read(lessons.listed)

    def answered_ids(self) -> list[str]:
        """Ids of the candidates of which DFT has said something that can be learned from, sorted."""
        return self._database.read(lessons.answered)

    # Candidates

    def upsert(
        self,
        candidates: Iterable[Candidate],
        run_id: str | None = None,
        role: str | None = None,
        stage: str | None = None,
        chunk: int | None = None,
        work: Work | None = None,
    ) -> None:
        """Write a chunk of candidates in one transaction, merged with what is stored (see `merge.py`).

        Args:
            candidates: Of any number; tens to hundreds make a good chunk.
            run_id: The run they belong to.
            role: `seed` or `proposed`; the first one given stays.
            stage: The stage they have reached in the run.
            chunk: The chunk they came with; the first one given stays.
            work: A piece of the run's work that is done once this is written: both or neither.

        Raises:
            InputError: a candidate holds something that JSON cannot say.
            NotFoundError: no such run.
            StoreError: the database cannot be written; nothing of the chunk is.
        """
        if run_id is None and (role, stage, chunk, work) != (None, None, None, None):
            raise InputError("Role, stage, chunk and work belong to a run: name it with run_id.")
        prepared = [prepare(candidate) for candidate in candidates]

        def write(connection):
            keys = write_candidates(connection, prepared)
            if run_id is not None:
                runs.require(connection, run_id)
                write_membership(connection, keys.values(), Membership(run_id, role, stage, chunk))
            if run_id is not None and work is not None:
                runs.write_work(connection, run_id, *work, "done")

        self._database.write(write)

    def get(self, candidate_id: str) -> Candidate:
        """One candidate.

        Raises:
            NotFoundError: it is not in the store; the message proposes near ones.
        """
        return self.get_many([candidate_id])[0]

    def get_many(self, ids: Sequence[str]) -> list[Candidate]:
        """Candidates in the order of `ids`.

        Raises:
            NotFoundError: one of them is not in the store.
        """

        def read(connection):
            keys = reading.keys_of(connection, ids)
            return reading.records_of(connection, [keys[identifier] for identifier in ids])

        return [Candidate.from_record(json.loads(text)) for text in self._database.read(read)]

    def query(
        self,
        filter: str | Filter | None = None,
        sort: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        run_id: str | None = None,
    ) -> list[Candidate]:
        """Candidates that a filter matches.

        Args:
            filter: In the OPTIMADE language, or what `core.filters.parse` made of it.
            sort: A field, a property or `property.method`; absent values last, ties by id.
            descending: Greatest first.
            limit: At most so many.
            run_id: Only candidates of this run.

        Raises:
            FilterError: it cannot be read, or names something unknown.
        """

        def read(connection):
            found = find(connection, filter, sort, descending, limit, run_id)
            return reading.records_of(connection, [key for key, _ in found])

        return [Candidate.from_record(json.loads(text)) for text in self._database.read(read)]

    def query_ids(
        self,
        filter: str | Filter | None = None,
        sort: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        run_id: str | None = None,
    ) -> list[str]:
        """As `query`, but the ids alone."""
        found = self._database.read(lambda c: find(c, filter, sort, descending, limit, run_id))
        return [identifier for _, identifier in found]

    def count(self, filter: str | Filter | None = None, run_id: str | None = None) -> int:
        """How many candidates a filter matches."""
        statement = select(func.count()).select_from(candidate_table).where(*conditions(filter, run_id))
        return self._database.read(lambda c: c.execute(statement).scalar_one())

    # Geometry and kinship

    def structures(
        self, formulas: Iterable[str] | None = None, ids: Iterable[str] | None = None
    ) -> Iterator[tuple[str, Structure]]:
        """Every geometry a crystal had, as (candidate_id, structure): the first one, then the present one.

        Args:
            formulas: Only candidates of these reduced formulas.
            ids: Only these candidates; what the store does not hold is left out.

        Yields:
            In the order of ids. Candidates written meanwhile may be missing.
        """
        wanted = None if formulas is None else sorted(set(formulas))
        if ids is None:
            yield from self._geometries(wanted, None)
            return
        for batch in batches(sorted(set(ids))):
            yield from self._geometries(wanted, batch)

    def _geometries(
        self, formulas: Sequence[str] | None, ids: Sequence[str] | None
    ) -> Iterator[tuple[str, Structure]]:
        from pymatgen.core import Structure

        after = ""
        while batch := self._database.read(
            lambda c, after=after: reading.geometries(c, after, formulas, ids)
        ):
            for identifier, first, record in batch:
                if first is not None:
                    yield identifier, Structure.from_dict(json.loads(first))
                yield identifier, Structure.from_dict(json.loads(record)["structure"])
            after = batch[-1][0]

    def formulas_of(self, ids: Sequence[str]) -> dict[str, str]:
        """The reduced formula of each of these candidates that the store holds, by id."""
        return self._database.read(lambda c: reading.formulas_of(c, ids))

    def first_structure(self, candidate_id: str) -> Structure:
        """The crystal as it first appeared, before any relaxation.

        Raises:
            NotFoundError: it is not in the store.
        """
        from pymatgen.core import Structure

        first, record = self._database.read(lambda c: reading.first_and_record(c, candidate_id))
        return Structure.from_dict(json.loads(first) if first else json.loads(record)["structure"])

    def lineage(self, candidate_id: str) -> list[Ancestor]:
        """What a candidate was made from, back to what came from outside; the nearest first.

        Raises:
            NotFoundError: it is not in the store.
        """
        return self._database.read(lambda c: relations.ancestors(c, candidate_id))

    def add_same_as(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Note that crystals turned out to be the same, for instance after a relaxation."""
        rows = list(pairs)
        self._database.write(lambda c: relations.add_same_as(c, rows))

    def same_as(self, candidate_id: str) -> list[str]:
        """Every other crystal that is the same as this one, directly or by way of others; sorted."""
        return self._database.read(lambda c: relations.same_as(c, candidate_id))
