"""What a user would pick instead: one RQ job, Celery task, or DBOS workflow for each order."""
