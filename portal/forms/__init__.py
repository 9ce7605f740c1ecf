"""What people type: one module per page family; a form says beside the field what is wrong."""
