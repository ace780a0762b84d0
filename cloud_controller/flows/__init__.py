"""Gather, decide, save and say: plain functions over an open transaction, one file a flow."""
