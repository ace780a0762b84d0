"""The cloud controller: reservations, tickets, rights, commands, registration and pages."""
