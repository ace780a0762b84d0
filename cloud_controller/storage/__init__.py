"""The only SQL of the controller: a database behind one group-committing writer, its queries and its migrations."""
