using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Which slot's git has changed which ref. All slots share the refs of an isolated repository, and a ref does not tell who made it; so the
/// repository's one hook, the pool's own, notes it (githooks(5), reference-transaction). What is noted only ever keeps a ref as long as a live lease
/// may need it: whoever forges it gains that time and nothing else. The pool's own git runs without hooks and is not noted.
/// </summary>
internal sealed class RefOwners(RepositoryLayout repository)
{
    public const string HookPath = "hooks/reference-transaction";

    /// <summary>Never fails, and writes nothing outside of the pool's corner: a worker's git must work whatever happens to it.</summary>
    public const string Hook = """
        #!/bin/sh
        # Written by WorktreePool: notes which slot has changed which ref, so that a ref stays as long as the lease that made it lives.
        [ "$1" = committed ] || exit 0
        case $GIT_DIR in */worktrees/*) ;; *) exit 0 ;; esac
        notes=${GIT_DIR%/worktrees/*}/worktree-pool/touched
        [ -d "$notes" ] || exit 0
        notes=$notes/${GIT_DIR##*/}
        [ -f "$notes" ] || [ ! -e "$notes" ] || exit 0
        { while read -r old new ref; do case $ref in refs/*) echo "$ref" ;; esac; done >> "$notes"; } 2> /dev/null
        exit 0

        """;

    private string DirectoryPath => Path.Combine(repository.Scratch, "touched");

    /// <summary>Makes the place for the notes, and removes from it what is no note.</summary>
    public void Prepare()
    {
        if (SafeFile.Exists(DirectoryPath) && !SafeFile.IsRealDirectory(DirectoryPath))
        {
            TreeRemoval.Remove(DirectoryPath);
        }

        Directory.CreateDirectory(DirectoryPath);
        CrashPoint.Reached("directory of ref owners made");
        foreach (string entry in Directory.EnumerateFileSystemEntries(DirectoryPath).Where(entry => !SafeFile.IsRealFile(entry)).ToList())
        {
            TreeRemoval.Remove(entry);
        }
    }

    /// <summary>The refs that a slot's git has changed since its last sweep.</summary>
    public HashSet<string> TouchedBy(string admin) =>
        [.. (SafeFile.TryRead(Path.Combine(DirectoryPath, admin)) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Every slot that something is noted of.</summary>
    public IEnumerable<string> Admins() => SafeFile.IsRealDirectory(DirectoryPath) ? Directory.EnumerateFiles(DirectoryPath).Select(file => Path.GetFileName(file)) : [];

    /// <summary>Forgets a slot's notes: what it has changed is put right.</summary>
    public void Forget(string admin) => TreeRemoval.Remove(Path.Combine(DirectoryPath, admin));
}
