"""The history of the store's tables, as alembic scripts in `versions`."""
