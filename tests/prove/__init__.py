"""Long proofs: seeded schedules of everything that may go wrong, checked against the promises."""
