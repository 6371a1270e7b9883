#!/usr/bin/env bash
# Makes a Debian package of a native build: build.sh NATIVE-DIRECTORY OUTPUT-DIRECTORY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
native=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tool=$native/worktree-pool

# 0.1.0-preview.0.7+COMMIT: what comes before a release sorts before it, and the commit is no part of a package's version.
version=$("$tool" --version)
version=${version%%+*}
version=${version/-/\~}

install -D -m 755 "$tool" "$root/usr/lib/worktree-pool/worktree-pool"
for library in "$native"/*.so; do
  install -D -m 644 "$library" "$root/usr/lib/worktree-pool/$(basename "$library")"
done
mkdir -p "$root/usr/bin"
ln -s ../lib/worktree-pool/worktree-pool "$root/usr/bin/worktree-pool"
install -d "$root/usr/share/man/man1" "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d"
"$tool" manual | gzip -9n > "$root/usr/share/man/man1/worktree-pool.1.gz"
"$tool" completion bash > "$root/usr/share/bash-completion/completions/worktree-pool"
"$tool" completion zsh > "$root/usr/share/zsh/vendor-completions/_worktree-pool"
"$tool" completion fish > "$root/usr/share/fish/vendor_completions.d/worktree-pool.fish"
for unit in "$here"/../systemd/*; do
  install -D -m 644 "$unit" "$root/usr/lib/systemd/system/$(basename "$unit")"
done
install -D -m 644 "$here/../../LICENSE" "$root/usr/share/doc/worktree-pool/copyright"

chmod 755 "$root"
mkdir "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<END
Package: worktree-pool
Version: $version
Section: vcs
Priority: optional
Architecture: $(dpkg --print-architecture)
Depends: git (>= 1:2.31), libc6
Maintainer: The WorktreePool authors <dev@worktreepool.invalid>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: pool of ready git worktrees for agents, CI jobs and merge trains
 Keeps git worktrees ready, so that a job starts in milliseconds instead of
 waiting for a checkout: claim heals whatever it finds, release leaves every
 slot clean, and a process killed at any instant needs no human.
END
dpkg-deb --root-owner-group --build "$root" "$out/worktree-pool_${version}_$(dpkg --print-architecture).deb"
