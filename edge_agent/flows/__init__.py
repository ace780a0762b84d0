"""Journal, then act, then verify, then report: plain functions over the open journal, one file a flow."""
