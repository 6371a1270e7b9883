using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Brings to the disk what a rescue keeps, by a pack of all that lies in files of its own: git flushes packs in every version, and single objects in none by itself (git-config(1), core.fsync).
/// What a power loss leaves of those is an empty file, which the next git that writes the same object takes for it (object-file.c, freshen_loose_object). To make the pack reads every object,
/// so that what cannot be read is noticed while the files are still there. The commits that a holder made a moment before are brought along.
/// </summary>
internal sealed class DurableObjects(RepositoryLayout repository, NeutralDirectory neutral, GitRunner git)
{
    /// <summary>Packs what commits of the pool's add.</summary>
    /// <param name="subject">Whose work it is.</param>
    /// <param name="scratch">Where git may leave what it could not end: a directory that is made and removed. In the repository it would stay.</param>
    /// <param name="commits">The commits.</param>
    /// <param name="durable">Commits whose objects are on the disk, with all that they reach.</param>
    /// <param name="cancellationToken">Ends the packing. What was written of the pack is no pack.</param>
    /// <returns>Null; or why not even the commits' own trees can be read, which git says.</returns>
    public async ValueTask<string?> TryPackAsync(string subject, string scratch, IReadOnlyList<string> commits, IEnumerable<string> durable, CancellationToken cancellationToken)
    {
        string made = Path.Combine(scratch, "pack");
        Directory.CreateDirectory(made);
        CrashPoint.Reached("place for a pack made");
        try
        {
            string? failure = await TryPackInAsync(subject, scratch, made, commits, durable, cancellationToken).ConfigureAwait(false);
            PackFiles.TakeOver(made, Path.Combine(repository.Objects, "pack"));
            DirectorySync.Flush(repository.Objects);
            return failure;
        }
        finally
        {
            TreeRemoval.Remove(scratch);
        }
    }

    private async ValueTask<string?> TryPackInAsync(string subject, string objects, string made, IReadOnlyList<string> commits, IEnumerable<string> durable, CancellationToken cancellationToken)
    {
        Dictionary<string, string> environment = neutral.EnvironmentFor(null, null, objects);

        // Quoted, for a colon would end it; see git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES.
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = $"\"{repository.Objects.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        string[] known = [.. durable.Select(commit => "^" + commit)];
        GitResult packed = await RunAsync("--unpacked", [.. commits, .. known]).ConfigureAwait(false);
        if (!packed.Succeeded)
        {
            // Where a holder's history is damaged: without it.
            packed = await RunAsync("--unpacked", [.. commits.Select(commit => commit + "^{tree}"), .. known]).ConfigureAwait(false);
            packed = packed.Succeeded ? await RunAsync("--incremental", commits).ConfigureAwait(false) : packed;
        }

        return packed.Succeeded ? null : packed.Error.Trim().ReplaceLineEndings(" / ");

        // --unpacked takes revisions, --incremental objects; neither what is in a pack already. No deltas, and quickly: git gc does it better, some day.
        ValueTask<GitResult> RunAsync(string kind, IEnumerable<string> wanted) => git.TryRunAsync(
            new GitCall("pack-objects", kind, "--non-empty", "--window=0", "--compression=1", "--threads=1", "-q", Path.Combine(made, "pack"))
            {
                Subject = subject,
                Environment = environment,
                Input = string.Concat(wanted.Select(line => line + "\n")),
            },
            cancellationToken);
    }
}
