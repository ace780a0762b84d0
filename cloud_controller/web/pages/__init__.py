"""The customer's pages: without script, in the store's time and the customer's language."""
