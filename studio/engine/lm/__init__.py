"""Language models: one protocol, several servers, and wrappers around them."""
