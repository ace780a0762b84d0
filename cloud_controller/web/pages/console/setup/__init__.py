"""The console's pages of the set-up: the first hour, and a sheet for each document."""
