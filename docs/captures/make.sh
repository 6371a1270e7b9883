#!/usr/bin/env bash
# Makes the captures in this directory anew, with the worktree-pool that is first on the PATH: make.sh
# A scratch pool in the state of 3 June, on a tmux terminal of 80 and of 200 columns.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
server=captures-$$
trap 'tmux -L "$server" kill-server 2>/dev/null || true; rm -rf "$scratch"' EXIT
export WORKTREE_POOL=$scratch/agents GIT_AUTHOR_NAME=Demo GIT_AUTHOR_EMAIL=demo@example.invalid GIT_COMMITTER_NAME=Demo GIT_COMMITTER_EMAIL=demo@example.invalid

# A session that stays, for a server without any ends.
tmux -L "$server" -f /dev/null new-session -d -s base

git init -q -b main "$scratch/seed"
for file in README.md build.sh main.c; do echo "$file" > "$scratch/seed/$file"; done
git -C "$scratch/seed" add -A
git -C "$scratch/seed" commit -q -m start
git clone -q --bare "$scratch/seed" "$scratch/origin.git"
git clone -q "$scratch/origin.git" "$scratch/repo"
worktree-pool init --repo "$scratch/repo" --slots 12 >/dev/null

# Held by a process, by a duration, by one that has run out; healed; broken; set aside.
worktree-pool claim --key MC-4683 --branch cr/mc-4683 --owner-pid $$ >/dev/null
worktree-pool claim --key MC-4690 --lease 2h >/dev/null
worktree-pool claim --key MC-4691 --lease 1ms >/dev/null
git -C "$WORKTREE_POOL/slots/slot-3" checkout -q -b slot1/mc-MC-4634
echo notes > "$WORKTREE_POOL/slots/slot-3/scratch.txt"
worktree-pool claim --key MC-4701 --no-wait >/dev/null
worktree-pool release --key MC-4701 >/dev/null
git -C "$WORKTREE_POOL/slots/slot-4" checkout -q -b slot1/mc-MC-4640
echo 'half an edit' >> "$WORKTREE_POOL/slots/slot-4/README.md"
touch "$scratch/repo/.git/worktrees/slot-4/index.lock"
(cd "$WORKTREE_POOL/slots/slot-5" && exec sleep 300) &
stray=$!
echo left > "$WORKTREE_POOL/slots/slot-5/left.txt"
worktree-pool maintain --leftover-processes fail >/dev/null
git -C "$WORKTREE_POOL/slots/slot-6" checkout -q -b slot1/mc-MC-4641
echo scratch > "$WORKTREE_POOL/slots/slot-6/scratch.txt"
touch "$scratch/repo/.git/worktrees/slot-6/index.lock"
worktree-pool claim --key MC-4710 --lease 1ms >/dev/null

capture() { # NAME COLUMNS ROWS COMMAND WAIT-FOR
  tmux -L "$server" -f /dev/null new-session -d -s "$1" -x "$2" -y "$3" "PS1='\$ ' TERM=xterm-256color bash --norc --noprofile"
  tmux -L "$server" send-keys -t "$1" "clear; $4" Enter
  local tries=0
  until tmux -L "$server" capture-pane -p -t "$1" | grep -q -- "$5"; do
    [ "$((tries += 1))" -lt 200 ] || { echo "$1: \"$5\" was not seen" >&2; exit 1; }
    sleep 0.1
  done
  # Trailing blanks are the terminal's, and the scratch directory is of no interest.
  tmux -L "$server" capture-pane -p -t "$1" | sed "s|$scratch|/srv/pools|g; s/ *\$//" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' > "$here/$1-$2.txt"
  tmux -L "$server" kill-session -t "$1"
}

for columns in 80 200; do
  capture status "$columns" 45 "worktree-pool status" 'worktree-pool doctor'
  capture watch "$columns" 24 "worktree-pool status --watch" 'q ends'
  capture doctor "$columns" 60 "worktree-pool doctor" '^-> '
done
kill "$stray"
