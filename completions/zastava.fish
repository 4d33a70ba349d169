# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_zastava_global_optspecs
    string join \n color= q/quiet v/verbose h/help V/version
end

function __fish_zastava_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_zastava_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_zastava_using_subcommand
    set -l cmd (__fish_zastava_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c zastava -n "__fish_zastava_needs_command" -l color -d 'Colour: auto, always or never' -r
complete -c zastava -n "__fish_zastava_needs_command" -s q -l quiet -d 'Errors only: no notes, no advice'
complete -c zastava -n "__fish_zastava_needs_command" -s v -l verbose -d 'Tell more; with an error, its causes'
complete -c zastava -n "__fish_zastava_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c zastava -n "__fish_zastava_needs_command" -s V -l version -d 'Print version'
complete -c zastava -n "__fish_zastava_needs_command" -f -a "inspect" -d 'What a process is, where it belongs, what it loaded, what was hidden'
complete -c zastava -n "__fish_zastava_needs_command" -f -a "libs" -d 'Which files are mapped, what identifies them, and who has one of them'
complete -c zastava -n "__fish_zastava_needs_command" -f -a "generate" -d 'Write what is made from the code: man pages, completions, schemas'
complete -c zastava -n "__fish_zastava_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -l color -d 'Colour: auto, always or never' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -s q -l quiet -d 'Errors only: no notes, no advice'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -s v -l verbose -d 'Tell more; with an error, its causes'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -s V -l version -d 'Print version'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -f -a "pid" -d 'One process: executable, ancestry, namespaces, container, mapped files, listeners'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and not __fish_seen_subcommand_from pid help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -s o -l output -d 'The form of the answer: table, wide, json, ndjson, event or none; with =FILE, also into a file' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l proc -d 'The procfs to read [default: found: /proc, or /host/proc in a container]' -r -F
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l host-root -d 'The host\'s root directory; its proc is the default of --proc' -r -F
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l node -d 'The node\'s name in documents [default: the host name]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l timeout -d 'How long the whole run may take; then what is known is printed [default: 30s]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l digest -d 'The digest of each file: sha256, blake3 or none [default: sha256; libs --all: none]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l max-libs -d 'How many files of a target get a digest [default: 4096]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l max-bytes -d 'How many bytes of a target are read for digests, such as 64MB [default: 1GB]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l contract -d 'The version of the contract that -o event writes: v1.0 or v1.1 [default: v1.1]' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l color -d 'Colour: auto, always or never' -r
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l redact -d 'Show how many arguments there are, not what they say'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l explain -d 'Add to the table what was read, how long it took and how many bytes came'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -l no-progress -d 'Show no progress'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -s q -l quiet -d 'Errors only: no notes, no advice'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -s v -l verbose -d 'Tell more; with an error, its causes'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from pid" -s V -l version -d 'Print version'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from help" -f -a "pid" -d 'One process: executable, ancestry, namespaces, container, mapped files, listeners'
complete -c zastava -n "__fish_zastava_using_subcommand inspect; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l find -d 'Who has it mapped now: sha256:HEX, build-id:HEX, soname:NAME or path:GLOB' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -s o -l output -d 'The form of the answer: table, wide, json, ndjson, event or none; with =FILE, also into a file' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l proc -d 'The procfs to read [default: found: /proc, or /host/proc in a container]' -r -F
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l host-root -d 'The host\'s root directory; its proc is the default of --proc' -r -F
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l node -d 'The node\'s name in documents [default: the host name]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l timeout -d 'How long the whole run may take; then what is known is printed [default: 30s]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l digest -d 'The digest of each file: sha256, blake3 or none [default: sha256; libs --all: none]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l max-libs -d 'How many files of a target get a digest [default: 4096]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l max-bytes -d 'How many bytes of a target are read for digests, such as 64MB [default: 1GB]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l contract -d 'The version of the contract that -o event writes: v1.0 or v1.1 [default: v1.1]' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l color -d 'Colour: auto, always or never' -r
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l all -d 'Every process of the node; digests only where --digest is typed'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l redact -d 'Show how many arguments there are, not what they say'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l explain -d 'Add to the table what was read, how long it took and how many bytes came'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -l no-progress -d 'Show no progress'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -s q -l quiet -d 'Errors only: no notes, no advice'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -s v -l verbose -d 'Tell more; with an error, its causes'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c zastava -n "__fish_zastava_using_subcommand libs" -s V -l version -d 'Print version'
complete -c zastava -n "__fish_zastava_using_subcommand generate" -l color -d 'Colour: auto, always or never' -r
complete -c zastava -n "__fish_zastava_using_subcommand generate" -s q -l quiet -d 'Errors only: no notes, no advice'
complete -c zastava -n "__fish_zastava_using_subcommand generate" -s v -l verbose -d 'Tell more; with an error, its causes'
complete -c zastava -n "__fish_zastava_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c zastava -n "__fish_zastava_using_subcommand generate" -s V -l version -d 'Print version'
complete -c zastava -n "__fish_zastava_using_subcommand help; and not __fish_seen_subcommand_from inspect libs generate help" -f -a "inspect" -d 'What a process is, where it belongs, what it loaded, what was hidden'
complete -c zastava -n "__fish_zastava_using_subcommand help; and not __fish_seen_subcommand_from inspect libs generate help" -f -a "libs" -d 'Which files are mapped, what identifies them, and who has one of them'
complete -c zastava -n "__fish_zastava_using_subcommand help; and not __fish_seen_subcommand_from inspect libs generate help" -f -a "generate" -d 'Write what is made from the code: man pages, completions, schemas'
complete -c zastava -n "__fish_zastava_using_subcommand help; and not __fish_seen_subcommand_from inspect libs generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zastava -n "__fish_zastava_using_subcommand help; and __fish_seen_subcommand_from inspect" -f -a "pid" -d 'One process: executable, ancestry, namespaces, container, mapped files, listeners'
