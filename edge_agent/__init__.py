"""The terminal's side: the agent faces the network, the runner holds programs and deadlines."""
