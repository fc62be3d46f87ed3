# bash completion of pipework: source <(pipework completion bash)

_pipework() {
    # bash splits words at colons and equals signs, which belong to words here. Put them together again.
    local rest=${COMP_LINE:0:COMP_POINT} words=() i part bare
    for ((i = 0; i <= COMP_CWORD; i++)); do
        bare=${rest#"${rest%%[![:space:]]*}"}
        part=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then part=$bare; fi
        if ((i == 0)) || [[ $bare != "$rest" ]]; then
            words+=("$part")
        else
            words[${#words[@]} - 1]+=$part
        fi
        rest=${bare#"$part"}
    done
    local current=${words[${#words[@]} - 1]} reply=() line word kept=
    mapfile -t reply < <("${words[0]}" completion reply -- "${words[@]:1}" 2>/dev/null)
    # bash keeps what stands before the last place where it splits.
    if [[ $current == *[:=]* && $COMP_WORDBREAKS == *[:=]* ]]; then kept=${current%"${current##*[:=]}"}; fi
    COMPREPLY=()
    for line in "${reply[@]:1}"; do
        word=${line%%$'\t'*}
        COMPREPLY+=("${word#"$kept"}")
    done
    if [[ ${reply[0]-} == files ]]; then
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#"$kept"}")
    elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=/] ]]; then
        compopt -o nospace
    fi
}
complete -F _pipework pipework
