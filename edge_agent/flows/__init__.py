"""Journal, act, verify, report: plain functions over the open journal, one file a flow."""
