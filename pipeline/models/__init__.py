"""Models as files: finds, fetches, converts and checks them."""
