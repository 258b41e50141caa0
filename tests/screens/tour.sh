#!/usr/bin/env bash
# Plays the README's five-minute tour in tmux, on a real lab with real training, and leaves what the screen showed.
#
#   tests/screens/tour.sh [OUT] [COLUMNSxROWS]      (default: a new temporary folder, 80x24)
#
# Launches two runs, watches them, changes a regulariser in flight, forks, compares, exports. Every step waits for what
# it should see and fails with the screen where it does not come. OUT gets NN-name.txt (what a reader of the terminal
# sees) and lab/ (the lab). GENLAB_TUI names the command (default: genlab-tui).
set -euo pipefail

out=${1:-$(mktemp -d "${TMPDIR:-/tmp}/genlab-tour.XXXXXX")}
size=${2:-80x24}
app=${GENLAB_TUI:-genlab-tui}
socket="genlab-tour-$$"
number=0
mkdir -p "$out"
export GENLAB_HOME="$out/lab"

command -v tmux >/dev/null || { echo "tour: tmux is not installed" >&2; exit 2; }
trap 'tmux -L "$socket" kill-server 2>/dev/null || true' EXIT

screen() { tmux -L "$socket" capture-pane -p -t tour; }
keys() { for key in "$@"; do tmux -L "$socket" send-keys -t tour "$key"; sleep 0.15; done; }
words() { tmux -L "$socket" send-keys -t tour -l "$1"; sleep 0.3; }

# see TEXT [SECONDS]: wait until a line of the screen has TEXT (a regular expression).
see() {
    local until=$((SECONDS + ${2:-20}))
    until screen | grep -Eq -- "$1"; do
        if ((SECONDS >= until)); then
            echo "tour: waited in vain for: $1" >&2
            screen >&2
            exit 1
        fi
        sleep 0.2
    done
}

# gone TEXT [SECONDS]: wait until no line of the screen has TEXT.
gone() {
    local until=$((SECONDS + ${2:-20}))
    while screen | grep -Eq -- "$1"; do
        if ((SECONDS >= until)); then
            echo "tour: waited in vain for the end of: $1" >&2
            screen >&2
            exit 1
        fi
        sleep 0.2
    done
}

# keep NAME: write down what is on the screen.
keep() {
    number=$((number + 1))
    screen >"$out/$(printf '%02d' "$number")-$1.txt"
    echo "$(printf '%02d' "$number") $1"
}

tmux -L "$socket" -f /dev/null new-session -d -s tour -x "${size%x*}" -y "${size#*x}" "$app"

# --- 1. Lab: choose a phenomenon, say how, launch it ---
see 'Welcome' 40
keep welcome
keys Escape
see 'Phenomena'
keys /
words 'random'
keys Enter
see 'learn( also)?|pure noise'
keys Enter
see '50 members'
keep lab
keys r
see 'launched'

# --- 2. A second run: one regulariser more, and what one expects written down before ---
keys w
see '● weight decay'
keys P
see 'SHOWN'
keys s
keys Enter
see 'you predict SHOWN'
keys r
see '[12] to go'
keep queue

# --- 3. Live: watch it grow, read values, change a regulariser in flight ---
keys 2
see 'random-labels'
see 'ETA [0-9]' 120
keep live
keys c
sleep 1
keep cursor
keys c t
see 'change .* while it trains'
keys s
see '● label smoothing'
keep toggle
keys Enter
see 'changed in flight|from the next epoch' 40
keep changed

# --- 4. Fork the first run: the same seeds, one thing changed, compared as it trains ---
keys ]
see 'done' 60
keys f
see 'fork'
keys s
see 'label smoothing'
keep fork
keys Enter
see 'baseline|curves' 30
keep compare-fork

# --- 5. Runs, Compare, the CSV ---
keys 3
see '3 runs'
gone '[0-9] (running|queued)|[▶·][0-9]' 600
keep runs
keys A c
see '3 runs|curves'
keep compare
for _ in 1 2 3 4 5 6; do
    screen | grep -Eq '^ *(.. )?.*summary · ' && break
    keys Tab
done
keep summary
keys e
see 'exported' 30
keep exported
keys q
sleep 1
ls -1 "$out/lab/exports"
echo "tour: done, see $out"
