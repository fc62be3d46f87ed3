# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154,SC2317 # the functions and variables are those of lease_watch.sh
# What is different in a container: its files are its own already. Appended to lease_watch.sh by lease_container.sh.

enclose() {
    mkfifo "$FOLDER/events" && exec 4<>"$FOLDER/events" && : >"$LOG" && write_hook && prepare
}

# Nothing can be mounted here, and need not be.
cover() {
    :
}
