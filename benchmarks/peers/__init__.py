"""What a user would pick instead: one RQ job or one Celery task for each order."""
