"""Programs of others that judge our pages. npm installs them, pinned, into this folder: see the Makefile."""
