#!/bin/sh
# Back up the PostgreSQL database of DATABASE_URL to the folder $1, and delete backups older than two weeks.
# A backup that is cut off or can't be read never gets a backup's name.
set -eu
umask 077
new="$1/portal-$(date -u +%Y%m%dT%H%M%SZ).dump"
trap 'rm -f "$new.part"' EXIT
pg_dump --format=custom --no-owner --file="$new.part" "$DATABASE_URL"
pg_restore --list "$new.part" > /dev/null
mv "$new.part" "$new"
find "$1" -name 'portal-*.dump*' -mmin +20160 -delete
