"""One folder (or Lance URI) that holds what is known of many videos. Knows nothing about terminals or web pages."""
