# fish completion of pipework: ~/.config/fish/completions/pipework.fish

function __pipework_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l reply ($words[1] completion reply -- $words[2..-1] $current 2>/dev/null)
    if test "$reply[1]" = files
        __fish_complete_path $current
    end
    string join \n -- $reply[2..-1]
end
complete -c pipework -f -a '(__pipework_complete)'
