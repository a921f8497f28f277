#!/bin/bash
# lima.sh HOST_COMMAND GUEST_COMMAND: run GUEST_COMMAND as in a Lima machine whose host runs HOST_COMMAND, both for sh -c.
# Exit code: GUEST_COMMAND's; 77 when that cannot be done here, with the reason on stderr.
#
# Lima's user network: the guest has 192.168.5.15 or so, the gateway 192.168.5.2 leads to the loopback of the host, and
# host.lima.internal is its name. The host here is a network namespace with nothing but loopback.
set -eu

skip() { echo "$1" >&2; exit 77; }

if [ -z "${LIMA_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "needs root"
    command -v slirp4netns >/dev/null || skip "needs slirp4netns"
    command -v ip >/dev/null || skip "needs ip (iproute2)"
    [ -e /dev/net/tun ] || skip "needs /dev/net/tun"
    unshare --net --mount --pid --fork true 2>/dev/null || skip "needs namespaces"
    export LIMA_INSIDE=1
    exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc "$(readlink -f "$0")" "$@"
fi

ip link set lo up
place=$(mktemp -d)
mount -t tmpfs tmpfs "$place"
mkfifo "$place/go"
sh -c "$1" &
host=$!
cat >"$place/guest.sh" <<'GUEST'
echo $$ >"$PLACE/pid"
printf '127.0.0.1 localhost\n192.168.5.2 host.lima.internal host.docker.internal\n' >"$PLACE/hosts"
mount --bind "$PLACE/hosts" /etc/hosts
read -r _ <"$PLACE/go"
exec sh -c "$COMMAND"
GUEST
PLACE=$place COMMAND=$2 unshare --net --mount bash "$place/guest.sh" &
guest=$!
for _ in $(seq 200); do [ -s "$place/pid" ] && break; sleep .05; done
slirp4netns --configure --mtu=65520 --cidr=192.168.5.0/24 -r 5 "$(cat "$place/pid")" tap0 5>"$place/ready" >/dev/null 2>&1 &
for _ in $(seq 200); do [ -s "$place/ready" ] && break; sleep .05; done
[ -s "$place/ready" ] || skip "slirp4netns does not come up"
echo >"$place/go"
status=0
wait $guest || status=$?
kill $host 2>/dev/null && wait $host 2>/dev/null || true
umount -l "$place"
rmdir "$place" 2>/dev/null || true
exit $status
