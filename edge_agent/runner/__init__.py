"""The runner: a process of its own that starts and ends programs and keeps their deadlines."""
