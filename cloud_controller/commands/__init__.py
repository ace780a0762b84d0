"""What an operator says on the command line beside a running controller, a file for each group."""
