#!/bin/sh
# Print the processes that would give the host its addresses back (host_guard.sh), a line each.
#
# There may be one whose interface has gone: it is just doing so. The brackets keep grep from finding itself, and whole
# words (-z -x) a shell whose words hold this text, such as one at the far end of a line.
set -u

grep -lzx '[h]ost_guard' /proc/[0-9]*/cmdline 2>/dev/null
:
