#!/bin/bash
# user_instance.sh HOME COMMAND [ARGUMENT...]: run COMMAND beside a real `systemd --user` of its own, apart from the machine.
# Exit code: COMMAND's; 77 when that cannot be done here, with the reason on stderr.
#
# A user instance that is started in the root of the cgroup tree moves every process of the machine into a group of its
# own. So: a cgroup leaf first, then namespaces, so that the leaf is the root that it sees; then systemd.
set -eu

skip() { echo "$1" >&2; exit 77; }

if [ -z "${USER_INSTANCE_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || skip "needs root"
    for program in unshare systemctl mount; do
        command -v "$program" >/dev/null || skip "needs $program"
    done
    [ -x /lib/systemd/systemd ] || skip "needs systemd"
    tree=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$tree" ] || skip "needs a cgroup2 mount"
    leaf=$tree/localpi-test-$$
    mkdir "$leaf" 2>/dev/null || skip "needs a cgroup tree that may be written to"
    # What is left in the leaf ends a moment after the namespace's first process.
    trap 'for _ in $(seq 50); do find "$leaf" -depth -type d -exec rmdir {} + 2>/dev/null && break; sleep .1; done' EXIT
    export USER_INSTANCE_INSIDE=1
    bash -c 'echo $$ >"$0/cgroup.procs" && exec unshare --pid --fork --kill-child --mount --propagation private \
        --cgroup --ipc --uts --mount-proc "$@"' "$leaf" "$(readlink -f "$0")" "$@" || exit $?
    exit 0
fi

home=$1
shift
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup || skip "cgroup2 cannot be mounted"
mkdir /sys/fs/cgroup/init
echo $$ >/sys/fs/cgroup/init/cgroup.procs
grep -q '^0::/init$' /proc/self/cgroup || skip "the cgroup namespace is not apart"

runtime=/run/user/$(id -u)
group=/sys/fs/cgroup/user.slice/user-$(id -u).slice/user@$(id -u).service
mkdir -p "$group"
mount --bind /run /run # else units with a mount namespace see an empty one
mount -t tmpfs -o mode=755 tmpfs /run/systemd
mkdir -p /run/systemd/system /run/systemd/unit-root /run/systemd/inaccessible/dir
mount -t tmpfs -o mode=755 tmpfs /run/user
install -d -m 700 "$runtime"
install -d -m 700 "$home"
export XDG_RUNTIME_DIR=$runtime HOME=$home
unset DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME USER_INSTANCE_INSIDE

(
    echo $BASHPID >"$group/cgroup.procs"
    exec /lib/systemd/systemd --user --log-level=err --log-target=null </dev/null >/dev/null 2>&1
) &
manager=$!
for _ in $(seq 200); do
    [ -S "$runtime/systemd/private" ] && break
    sleep .05
done
systemctl --user is-system-running --wait >/dev/null || skip "systemd --user does not come up"
status=0
"$@" || status=$?
kill "$manager" 2>/dev/null && wait "$manager" || true
exit $status
