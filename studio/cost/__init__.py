"""What runs now and what it costs; ending it."""
