"""The schema's history, applied in order by Alembic, never edited afterwards."""
