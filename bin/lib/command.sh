# shellcheck shell=bash
# shellcheck disable=SC2154  # setup.sh sets repository and venv
# Makes `testbed` a command in every folder: a link to this clone's bin/testbed. Source this after bin/lib/setup.sh.
#
# It is offered once for each virtual environment, so whoever removes the link does not get it back.

# TESTBED_COMMAND chooses another place for the link; if it is empty, no link is made.
readonly command=${TESTBED_COMMAND-/usr/local/bin/testbed}
readonly this_program=$repository/bin/testbed

offer_command() {
    local offered=$venv/command.suggested
    if ((EUID == 0)); then offered=$venv/command.linked; fi
    if [[ -z $command || -e $offered || ! -w $venv ]]; then return; fi
    if ! is_command_of_this_clone; then
        if ((EUID == 0)); then link_command; else suggest_command; fi
    fi
    : >"$offered"
    if ((EUID == 0)); then chown --reference="$venv" "$offered"; fi
}

# bin/provision installs a script that runs the clone; everywhere else the command is a link.
is_command_of_this_clone() {
    [[ $command -ef $this_program ]] || grep --quiet --no-messages --fixed-strings "exec ${repository@Q}/bin/testbed" "$command"
}

# A command that this project has not made is never replaced, and neither is that of another clone, unless that is gone.
is_free_for_command() {
    if [[ -L $command && ! -e $command && $(readlink "$command") == */bin/testbed ]]; then rm -f "$command"; fi
    [[ ! -e $command && ! -L $command ]]
}

link_command() {
    if ! is_free_for_command; then
        say "$command is another program and stays as it is: run this clone as $this_program"
    elif mkdir -p "${command%/*}" && ln --symbolic --no-target-directory "$this_program" "$command"; then
        say "made the link $command -> $this_program: from now on the command is testbed, in any folder"
    fi
}

suggest_command() {
    local link=$command as_root='sudo '
    if [[ :$PATH: == *":${HOME:-}/.local/bin:"* ]]; then link=$HOME/.local/bin/testbed as_root=''; fi
    if [[ -e $link || -L $link ]]; then return; fi
    say "to run this clone as testbed, in any folder: ${as_root}ln -s ${this_program@Q} ${link@Q}"
}
