"""Forms and list filters, one module per family of pages."""
