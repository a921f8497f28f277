#!/bin/bash
# bridge.sh ADDRESS READY HOST_COMMAND GUEST_COMMAND: run HOST_COMMAND on a machine of loopback alone; once the file READY is
# there make a bridge with ADDRESS, as Docker does after login, and run GUEST_COMMAND (both for sh -c) in a container's place.
# Exit code: GUEST_COMMAND's; 77 when that cannot be done here, with the reason on stderr.
set -eu

skip() { echo "$1" >&2; exit 77; }

if [ -z "${BRIDGE_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "needs root"
    command -v ip >/dev/null || skip "needs ip (iproute2)"
    unshare --net --mount --pid --fork true 2>/dev/null || skip "needs namespaces"
    export BRIDGE_INSIDE=1
    exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc "$(readlink -f "$0")" "$@"
fi

address=$1 ready=$2
ip link set lo up
sh -c "$3" &
host=$!
for _ in $(seq 600); do [ -e "$ready" ] && break; sleep .05; done
[ -e "$ready" ] || { echo "the host's command did not get ready" >&2; exit 1; }

unshare --net sleep 600 &
guest=$!
for _ in $(seq 100); do [ "$(readlink /proc/$guest/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break; sleep .05; done
ip link add bridge0 type bridge 2>/dev/null || skip "a bridge cannot be made"
ip address add "$address/16" dev bridge0
ip link set bridge0 up
ip link add outer type veth peer name inner netns $guest 2>/dev/null || skip "a pair of interfaces cannot be made"
ip link set outer master bridge0 up
nsenter --net=/proc/$guest/ns/net sh -c "ip link set lo up; ip address add ${address%.*}.9/16 dev inner; ip link set inner up"
status=0
nsenter --net=/proc/$guest/ns/net sh -c "$4" || status=$?
kill $guest $host 2>/dev/null || true
wait $host 2>/dev/null || true
exit $status
