"""The cloud controller: reservations, tickets, rights, commands, the registration gate and the pages."""
