/// What a shell is told once; from then on it asks `basalt complete` after each tab.
enum CompletionScript {
    /// Answered in place of candidates where the shell completes files itself.
    static let files = ":files"

    static func text(_ shell: String) -> String? {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        default: nil
        }
    }

    private static let bash = """
        # Completion of basalt for bash.
        _basalt() {
            local IFS=$'\\n' found
            found=$(basalt complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
            if [[ $found == '\(files)' ]]; then
                compopt -o filenames 2>/dev/null
                COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
            else
                COMPREPLY=($found)
            fi
        }
        complete -F _basalt basalt

        """

    private static let zsh = """
        #compdef basalt
        # Completion of basalt for zsh.
        _basalt() {
            local -a found
            found=(${(f)"$(basalt complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
            if [[ $found == '\(files)' ]]; then
                _files
            else
                compadd -- $found
            fi
        }
        if [[ $funcstack[1] == _basalt ]]; then
            _basalt "$@"
        else
            compdef _basalt basalt
        fi

        """

    private static let fish = """
        # Completion of basalt for fish.
        function __basalt_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l found (basalt complete -- $words[2..-1] 2>/dev/null)
            if test "$found" = '\(files)'
                __fish_complete_path (commandline -ct)
            else
                printf '%s\\n' $found
            end
        end
        complete -c basalt -f -a '(__basalt_complete)'

        """
}
