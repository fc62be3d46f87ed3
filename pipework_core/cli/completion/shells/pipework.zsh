#compdef pipework
# zsh completion of pipework: a file _pipework in a folder of $fpath, or source <(pipework completion zsh)

_pipework() {
    local -a reply plain open described opened
    local line word said
    reply=("${(@f)$("${(Q)words[1]}" completion reply -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in "${(@)reply[2,-1]}"; do
        word=${line%%$'\t'*} said=${line#*$'\t'}
        case $word in
            *[:=/]) open+=("$word") opened+=("$word${said:+ -- $said}") ;;
            ?*) plain+=("$word") described+=("$word${said:+ -- $said}") ;;
        esac
    done
    (($#plain)) && compadd -l -d described -a plain
    (($#open)) && compadd -S '' -l -d opened -a open
    [[ $reply[1] != files ]] || _files
}

if [[ $funcstack[1] == _pipework ]]; then
    _pipework "$@"
else
    compdef _pipework pipework
fi
