"""Text in pictures: reading it, noticing that it changed, following lines over time, guessing their language."""
