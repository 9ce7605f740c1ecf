"""What `gunicorn wsgi:app` reads when it is started from this folder. Options on the command line come first."""

worker_class = "deploy.deadlines.DeadlineWorker"

# The app decides whose X-Forwarded-… headers count: see TRUSTED_PROXIES.
forwarded_allow_ips = ""

# Nobody uses it, and it would be in the home folder, which a hardened installation doesn't have.
control_socket_disable = True
