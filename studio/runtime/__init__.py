"""The host's side of running things; knows no product noun beyond domain and owner."""
