#!/bin/sh
# Tell which kept DHCP clients have their network namespace to themselves: alone.sh PID... prints these PIDs again.
#
# PID is process 1 of the PID namespace that a client and all of its own are in; every other process counts as the
# guest's.
# shellcheck disable=SC3013 # dash, ash and bash all have -ef
set -fu

of_a_client() {
    for of; do
        [ "$process/ns/pid" -ef "/proc/$of/ns/pid" ] && return
    done
    return 1
}

set +f
processes=$(echo /proc/[0-9]*)
set -f
for pid; do
    for process in $processes; do
        if [ "$process/ns/net" -ef "/proc/$pid/ns/net" ] && ! of_a_client "$@"; then
            continue 2
        fi
    done
    [ ! -e "/proc/$pid/ns/net" ] || echo "$pid"
done
