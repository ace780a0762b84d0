"""The owner's side: what runs, what is wrong, what it earns; one shell around all of it."""
