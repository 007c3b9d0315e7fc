"""Plain functions (answers, targets) -> numbers. Know no model."""
