"""What nobody should send, and what must not happen when somebody does."""
