"""Packages on this terminal's disk: fetched, verified, installed, and what is to come next."""
