"""The candidate store: one database that holds runs, candidates, lineage and verdicts, and answers filters."""
