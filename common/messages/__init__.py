"""What is said on the wire: one frozen model a message, one file a flow."""
