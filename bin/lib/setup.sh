# shellcheck shell=bash
# Sets up a machine for the testbed: system packages, a virtual environment, the compiled delay box.
#
# bin/testbed, bin/test and bin/provision source this file by its full path and call `set_up run` or `set_up test`;
# afterwards `repository` and `venv` name the clone and its virtual environment, and PATH finds the network's tools.
#
# Every start first checks whether anything is missing, which must take next to no time: packages are looked up with
# shell builtins alone, and one sha256sum compares all sources with the stamps in the virtual environment.
#
# A step that is interrupted (Ctrl-C, a power cut) leaves its marker behind, and the next set-up repairs what it left.

readonly repository=${BASH_SOURCE[0]%/bin/lib/setup.sh}

# Every user can read the distribution's interpreter; the first python3 on PATH may be in a user's home.
readonly system_python=/usr/bin/python3
readonly machine_venv=/opt/testbed/venv
readonly packages_marker=/var/lib/testbed/installing-packages
readonly units=/etc/systemd/system
readonly os_release=${TESTBED_OS_RELEASE:-/etc/os-release}
# The exit status of a step that failed after it had changed something.
readonly half_done=75
readonly invocation=$0${*:+ $*}

# Debian keeps the network's tools off an ordinary user's PATH.
PATH=$PATH:/usr/sbin:/sbin

# A package, and the command or file that shows whether it is installed.
readonly run_needs='
    gcc             gcc
    iperf           iperf
    iproute2        tc
    iputils-ping    ping
    kmod            modprobe
    libc6-dev       /usr/include/stdio.h
    mininet         mnexec
    net-tools       ifconfig
    procps          sysctl
    python3-venv    /usr/lib/python3*/ensurepip/__init__.py
    tcpdump         tcpdump
    util-linux      unshare
'
readonly test_needs='
    aria2           aria2c
    bridge-utils    brctl
    busybox-static  /var/lib/dpkg/info/busybox-static.list
    debootstrap     debootstrap
    mandoc          mandoc
    git             git
    nginx-light     nginx
    opentracker     opentracker
    qbittorrent-nox qbittorrent-nox
    qemu-system-x86 qemu-system-x86_64
    rtorrent        rtorrent
    shellcheck      shellcheck
    tshark          tshark
    transmission-cli transmission-cli
    transmission-daemon transmission-daemon
    wireshark-common editcap
'

set_up() {
    local kind=$1
    choose_venv
    read_system
    read_sources "$kind"
    is_ready "$kind" || (make_ready "$kind")
}

say() { printf 'testbed: %s\n' "$1" >&2; }

fail() {
    say "$1"
    exit 1
}

# A virtual environment needs symbolic links, FIFOs and owners, which a synced folder does not have.
choose_venv() {
    venv=$repository/.venv
    if [[ -n ${TESTBED_VENV:-} ]]; then
        venv=$TESTBED_VENV
    elif is_synced_folder "$(stat --file-system --format=%T "$repository")"; then
        venv=$machine_venv
    elif [[ ! -w $repository && ! -x $venv/bin/testbed ]]; then
        venv=$machine_venv
    fi
}

is_synced_folder() {
    case $1 in
        vboxsf | msdos | exfat | v9fs | nfs* | smb* | cifs | fuse* | prl_fs | vmhgfs) return 0 ;;
        *) return 1 ;;
    esac
}

read_system() {
    local ID='' VERSION_ID='' PRETTY_NAME=''
    # shellcheck source=/dev/null
    if [[ -r $os_release ]]; then source "$os_release"; fi
    system=$ID-$VERSION_ID
    system_name=${PRETTY_NAME:-an unknown system}
}

is_supported() { [[ $system == debian-12 || $system == debian-13 || $system == ubuntu-24.04 ]]; }

# What the virtual environment is made from. It is up to date if its stamp holds the same.
read_sources() {
    local kind=$1 sums
    helper_sources=("$repository"/testbed/network/delaybox/*.c)
    [[ -e ${helper_sources[0]} ]] || helper_sources=()
    mapfile -t sums < <(sha256sum -- "$repository"/{pyproject.toml,requirements.lock,bin/lib/setup.sh} "${helper_sources[@]}")
    python_stamp="$kind in $venv ${sums[*]:0:3}"
    helper_stamp="${sums[*]}"
}

is_ready() {
    find_missing_packages "$1"
    ((${#missing[@]} == 0)) && is_python_ready "$1" && is_helper_ready
}

find_missing_packages() {
    local package sign
    missing=()
    choose_needs "$1"
    while read -r package sign; do
        if [[ -n $package ]] && { ! is_present "$sign" || [[ -e $packages_marker ]]; }; then
            missing+=("$package")
        fi
    done <<<"$needs"
}

choose_needs() {
    needs=$run_needs
    # Results name the commit of a clone.
    if [[ -e $repository/.git ]]; then needs+=$'git git\n'; fi
    if [[ $1 == run ]]; then return; fi
    needs+=$test_needs
    # Ubuntu packs its kernel modules with zstd, which its minimal systems cannot unpack.
    if [[ $system == ubuntu-* ]]; then needs+=$'zstd zstd\n'; fi
    # Ubuntu has dropped vagrant, and has chromium only as a snap.
    if [[ $system == debian-* ]]; then needs+=$'vagrant vagrant\nchromium chromium\n'; fi
}

is_present() {
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) type -P "$1" >/dev/null ;;
    esac
}

is_python_ready() { [[ -x $venv/bin/testbed && ! -e $venv/unfinished ]] && is_stamped "$venv/$1.stamp" "$python_stamp"; }

is_helper_ready() {
    ((${#helper_sources[@]} == 0)) && return
    [[ -x $venv/bin/testbed-delaybox ]] && is_stamped "$venv/helper.stamp" "$helper_stamp"
}

is_stamped() {
    local text=''
    [[ -r $1 ]] && read -r text <"$1"
    [[ $text == "$2" ]]
}

# Runs in a subshell, so that its traps, lock and umask do not affect the command that follows.
make_ready() {
    local kind=$1
    umask 022
    shopt -s nullglob
    exec {terminal}>&2
    trap report_interruption INT TERM
    if ((${#missing[@]})); then require_package_manager; fi
    require_writable_venv
    lock_venv
    log=$(mktemp --tmpdir testbed-setup.XXXXXX.log)
    find_missing_packages "$kind"
    if ((${#missing[@]})); then install_packages; fi
    if ! is_python_ready "$kind"; then install_python_packages "$kind"; fi
    if ! is_helper_ready; then build_helper; fi
    hand_over_to_owner
    rm -f "$log"
}

# While a step runs, standard error is the log.
report_interruption() {
    say 'the set-up was interrupted; the next start will repair it' 2>&"$terminal"
    rm -f "${log:-}"
    exit 130
}

require_package_manager() {
    local lacking="missing: ${missing[*]}"
    is_supported ||
        fail "$lacking; $system_name is not supported (Debian 12, Debian 13, Ubuntu 24.04 are): install them yourself"
    ((EUID == 0)) || fail "$lacking; run once with sudo: sudo $invocation"
}

require_writable_venv() {
    if ! mkdir -p "$venv" 2>/dev/null || [[ ! -w $venv ]]; then
        fail "the Python environment $venv is missing or out of date; run once with sudo: sudo $invocation"
    fi
}

# Set-ups of one virtual environment run one after the other: the second finds the work done.
lock_venv() {
    exec {turn}<"$venv"
    flock --nonblock "$turn" && return
    say 'waiting for another set-up to finish'
    flock "$turn"
}

install_packages() {
    mkdir -p "${packages_marker%/*}"
    run_step "$packages_marker" "installing ${missing[*]}" "$((10 + 3 * ${#missing[@]}))" apt_install "${missing[@]}"
}

apt_install() {
    local -x DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    # An installation that was interrupted leaves packages unpacked but not configured.
    dpkg --configure -a
    # A package source that does not answer may not be the one that is needed: let the installation decide.
    update_package_lists
    mask_services
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" && return
    [[ -z $(dpkg --audit) ]] || return "$half_done"
    return 1
}

# The tests start these programs themselves, in a namespace. Their packages would also start them on the machine's own
# network, from now on; `systemctl unmask opentracker` allows that again.
mask_services() {
    local service unit
    for service in nginx opentracker transmission-daemon; do
        unit=$units/$service.service
        if [[ $needs != *" $service"* || -e $unit || -L $unit ]] || is_present "$service"; then continue; fi
        mkdir -p "$units" && ln -s /dev/null "$unit" || return
    done
}

# A fresh machine starts with its daily update; apt can wait for the lock on packages, but not for that on their lists.
update_package_lists() {
    local tries
    for ((tries = 0; tries < 60; tries++)); do
        apt-get update 2>&1 | tee /dev/stderr | grep -q 'Could not get lock' || return 0
        sleep 5
    done
}

install_python_packages() {
    local kind=$1
    is_sound_venv || run_step "$venv/unfinished" "making the virtual environment $venv" 5 make_venv
    run_step "$venv/unfinished" "installing Python packages" 30 pip_install "$kind"
    printf '%s\n' "$python_stamp" >"$venv/$kind.stamp"
    # The tests need everything that a run needs.
    printf '%s\n' "run${python_stamp#"$kind"}" >"$venv/run.stamp"
}

# Sound: made at this path for this version of Python, and never interrupted while it was being filled.
is_sound_venv() {
    local version
    version=$("$system_python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [[ ! -e $venv/unfinished && -x $venv/bin/pip && -d $venv/lib/python$version ]] &&
        [[ $(<"$venv/pyvenv.cfg") == *"command = "*" $venv" ]]
}

make_venv() {
    "$system_python" -m venv --clear --without-pip "$venv" &&
        : >"$venv/unfinished" &&
        "$venv/bin/python" -I -m ensurepip --default-pip
}

pip_install() {
    local project=$repository extras='[peer,results]'
    local options=(--no-input --disable-pip-version-check --progress-bar off --constraint requirements.lock)
    if [[ $1 == test ]]; then extras='[dev]'; fi
    if [[ ! -w $repository ]]; then mirror_clone && project=$venv/project; fi
    cd "$project" && "$venv/bin/python" -m pip install "${options[@]}" --editable ".$extras"
}

# An editable installation writes metadata beside the sources; for a read-only clone, into a folder of links.
mirror_clone() {
    rm -rf "$venv/project" && mkdir "$venv/project" &&
        ln -s "$repository"/* "$venv/project" && rm -f "$venv/project"/*.egg-info
}

build_helper() {
    run_step "$venv/helper.stamp" 'compiling the delay box' 2 compile_helper
    printf '%s\n' "$helper_stamp" >"$venv/helper.stamp"
}

# A program that is running cannot be written to, but it can be replaced.
compile_helper() {
    gcc -O2 -Wall -Wextra -o "$venv/bin/testbed-delaybox.new" "${helper_sources[@]}" &&
        mv "$venv/bin/testbed-delaybox.new" "$venv/bin/testbed-delaybox"
}

# What root makes inside a user's clone belongs to that user.
hand_over_to_owner() {
    if ((EUID != 0)) || [[ $venv != "$repository"/* ]]; then return; fi
    chown --recursive --no-dereference --reference="$repository" "$venv" "$repository"/*.egg-info
}

# run_step MARKER WHAT SECONDS COMMAND...: the marker stays if the step is interrupted or fails half-way.
run_step() {
    local marker=$1 what=$2 seconds=$3
    shift 3
    : >"$marker"
    say "$what ... (about $seconds s)"
    LC_ALL=C.UTF-8 "$@" >"$log" 2>&1 </dev/null || explain_failure $? "$marker" "$what"
    rm -f "$marker"
}

explain_failure() {
    local status=$1 marker=$2 what=$3
    ((status == half_done)) || rm -f "$marker"
    tail -n 8 "$log" | sed 's/^/    /' >&2
    fail "$what failed: $(find_reason); the full output is in $log"
}

find_reason() {
    local unreachable='could not (resolve|connect)|name resolution|new connection|network is unreachable|connection (refused|timed out)'
    if grep -qaiE "$unreachable" "$log"; then
        echo 'the package server cannot be reached (is there a network?)'
    else
        grep -aE '^ *(E|ERROR|[A-Za-z]+Error): |: error: ' "$log" | tail -n 1 | sed 's/^ *//' || echo 'no reason given'
    fi
}
