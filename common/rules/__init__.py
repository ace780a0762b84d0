"""What is allowed: tables and pure functions; who calls says what time it is and what is so."""
