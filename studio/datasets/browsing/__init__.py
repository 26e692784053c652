"""Looking at rows: pages, search, filters, orders, what the columns hold."""
