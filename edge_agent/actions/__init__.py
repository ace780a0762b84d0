"""What this terminal switches: doors, lights and sockets, by messages or by catalogue commands."""

from edge_agent.actions.commands import Commands, RunsCommands
from edge_agent.actions.switches import JournalKeeper, Switches
from edge_agent.actions.trying import try_one

__all__ = ["Commands", "JournalKeeper", "RunsCommands", "Switches", "try_one"]
