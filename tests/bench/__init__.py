"""How fast it is, next to the floor that the same machine allowed in the same run."""
