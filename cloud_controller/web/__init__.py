"""HTTP in: pages, the API and the pictures they show."""
