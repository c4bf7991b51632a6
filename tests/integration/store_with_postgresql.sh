#!/usr/bin/env bash
# store_with_postgresql.sh COMMAND...: runs a command beside a PostgreSQL server of its own, in a temporary folder and on a
# Unix socket there. The command finds it in CARDEA_TEST_DATABASE (libpq's keywords), and in
# CARDEA_POSTGRESQL_STOP and CARDEA_POSTGRESQL_START commands that let it crash and start. Skips where PostgreSQL is not
# installed. The server does not wait for the disk unless CARDEA_POSTGRESQL_FSYNC=on: it dies in tests, the machine does not.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "${bin:-}/initdb" ] || { echo "skipped: PostgreSQL is not installed (./install-packages tests)"; exit 77; }

# The server refuses to run as root.
as_server=()
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || { echo "skipped: root has no user 'postgres' to run the server as"; exit 77; }
  as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi

# A socket's path is short.
work=$(mktemp -d /tmp/cardea-pg.XXXXXX)
stop() { "${as_server[@]}" "$bin/pg_ctl" -D "$work/data" -m immediate -w -t 20 stop >/dev/null 2>&1 || true; }
trap 'stop; rm -rf "$work"' EXIT
chmod 700 "$work"
[ ${#as_server[@]} = 0 ] || chown postgres "$work"
cd "$work"

"${as_server[@]}" "$bin/initdb" -D "$work/data" -U cardea -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$work.init" 2>&1 ||
  { cat "$work.init"; rm -f "$work.init"; exit 1; }
rm -f "$work.init"
cat >>"$work/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work'
max_connections = 100
fsync = ${CARDEA_POSTGRESQL_FSYNC:-off}
CONF

# pg_ctl's child must not keep our output open, or whoever reads it would wait for the server's end.
cat >"$work/start" <<START
#!/usr/bin/env bash
exec ${as_server[*]} $bin/pg_ctl -D $work/data -l $work/log -w -t 60 start </dev/null >/dev/null 2>&1
START
cat >"$work/crash" <<CRASH
#!/usr/bin/env bash
exec ${as_server[*]} $bin/pg_ctl -D $work/data -m immediate -w -t 20 stop </dev/null >/dev/null 2>&1
CRASH
chmod 755 "$work/start" "$work/crash"
[ ${#as_server[@]} = 0 ] || chmod 711 "$work"

"$work/start" || { echo "the server does not start"; cat "$work/log" || true; exit 1; }
export CARDEA_TEST_DATABASE="host=$work user=cardea"
export CARDEA_POSTGRESQL_STOP=$work/crash CARDEA_POSTGRESQL_START=$work/start
"$@"
