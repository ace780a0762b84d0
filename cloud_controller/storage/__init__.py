"""The only SQL of the controller: books behind one group-committing writer, queries, migrations."""
