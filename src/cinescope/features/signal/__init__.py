"""Signal and neural features of pictures and sound: plain functions on arrays."""
