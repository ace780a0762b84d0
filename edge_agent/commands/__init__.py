"""What each command of the agent does; it is loaded when it is asked for."""
