#!/bin/sh
# The longest word of each line: one line out for each line in.
exec awk '{
    longest = ""
    for (n = 1; n <= NF; n++) if (length($n) > length(longest)) longest = $n
    print longest
    fflush()
}'
