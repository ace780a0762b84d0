"""`python -m tests.pictures`: take the pictures that the documentation shows."""
