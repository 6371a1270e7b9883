using System.Globalization;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Keeps what is in the repositories inside of a slot; see <see cref="EmbeddedRepository"/>.</summary>
internal sealed class EmbeddedRescuer(RepositoryLayout repository, WorktreeGit git, NeutralDirectory neutral, GitRunner runner, FileSnapshot snapshot)
{
    /// <summary>Puts the files of a repository, and of those in it, into the slot's index as plain files.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="embedded">The repository.</param>
    /// <param name="index">The index that collects the slot's files.</param>
    /// <param name="recorded">The commit that the slot records for it, if it is a submodule.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    /// <returns>The files that could not be read, as paths in the slot.</returns>
    public async ValueTask<List<string>> KeepFilesAsync(GitWorktree slot, EmbeddedRepository embedded, string index, string? recorded, CancellationToken cancellationToken)
    {
        GitWorktree inner = slot with { Path = Path.Combine(slot.Path, embedded.Path) };
        string own = $"{index}-{Guid.NewGuid():N}";
        FileSnapshot.Changes found = await snapshot.FindAsync(inner, own, [], cancellationToken).ConfigureAwait(false);
        List<string> unreadable = await snapshot.AddAsync(inner, own, found.Files, cancellationToken).ConfigureAwait(false);
        string tree = (await git.RunAsideAsync(inner, own, cancellationToken, "write-tree").ConfigureAwait(false)).Line;
        if (recorded is null || tree != await FindTreeAsync(slot, embedded, recorded, cancellationToken).ConfigureAwait(false))
        {
            await git.RunAsideAsync(slot, index, cancellationToken, "rm", "-r", "-f", "-q", "--cached", "--ignore-unmatch", "--", ":(top,literal)" + embedded.Path).ConfigureAwait(false);
            if (found.Files.Count > unreadable.Count)
            {
                await git.RunAsideAsync(slot, index, cancellationToken, "read-tree", $"--prefix={embedded.Path}/", tree).ConfigureAwait(false);
            }
        }

        List<string> closed = [.. unreadable.Concat(found.Unreachable).Select(path => $"{embedded.Path}/{path}")];
        foreach (string path in found.Repositories)
        {
            closed.AddRange(await KeepFilesAsync(slot, new EmbeddedRepository($"{embedded.Path}/{path}", null), index, null, cancellationToken).ConfigureAwait(false));
        }

        return closed;
    }

    /// <summary>The tree of a commit of a repository; null when it cannot be told.</summary>
    private async ValueTask<string?> FindTreeAsync(GitWorktree slot, EmbeddedRepository embedded, string commit, CancellationToken cancellationToken)
    {
        if (embedded.Directory is null || !SafeFile.IsRealDirectory(Path.Combine(embedded.Directory, "objects")))
        {
            return null;
        }

        Dictionary<string, string> environment = neutral.EnvironmentFor(null, null, Path.Combine(embedded.Directory, "objects"));
        GitResult tree = await runner.TryRunAsync(new GitCall("rev-parse", "--verify", "-q", commit + "^{tree}") { Subject = slot.Slot, Environment = environment }, cancellationToken).ConfigureAwait(false);
        return tree.Succeeded ? tree.Line : null;
    }

    /// <summary>Copies to the repository's objects what a repository alone has.</summary>
    /// <returns>The tips that keep it, and how many commits they add; none when it has nothing of its own, or nothing that can be read.</returns>
    public async ValueTask<(List<string> Tips, int Commits)> KeepCommitsAsync(GitWorktree slot, EmbeddedRepository embedded, string? recorded, CancellationToken cancellationToken)
    {
        (List<string> own, List<string> remote) = embedded.ReadTips();
        own.RemoveAll(tip => tip == recorded);
        if (own.Count == 0 || !SafeFile.IsRealDirectory(Path.Combine(embedded.Directory!, "objects")))
        {
            return ([], 0);
        }

        if (recorded is not null)
        {
            remote.Add(recorded);
        }

        Dictionary<string, string> environment = neutral.EnvironmentFor(null, null, Path.Combine(embedded.Directory!, "objects"));
        GitCall Call(string? input, params IReadOnlyList<string> arguments) => new(arguments) { Subject = slot.Slot, Environment = environment, Input = input };

        // Damaged ones are left out: nobody can read them any more.
        GitResult readable = await runner.TryRunAsync(Call(string.Concat(own.Concat(remote).Select(tip => tip + "\n")), "cat-file", "--batch-check=%(objectname) %(objecttype)"), cancellationToken).ConfigureAwait(false);
        HashSet<string> commits = [.. readable.Output.Split('\n').Where(line => line.EndsWith(" commit", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];
        List<string> tips = [.. own.Where(commits.Contains)], known = [.. remote.Where(commits.Contains)];
        if (tips.Count == 0)
        {
            return ([], 0);
        }

        GitResult counted = await runner.TryRunAsync(Call(null, ["rev-list", "--count", .. tips, "--not", .. known]), cancellationToken).ConfigureAwait(false);
        if (!counted.Succeeded || counted.Line == "0")
        {
            return ([], 0);
        }

        // All that the tips reach, so that they are whole without the repository they come from.
        Directory.CreateDirectory(Path.Combine(repository.Objects, "pack"));
        CrashPoint.Reached("pack directory made for embedded commits");
        GitResult packed = await runner.TryRunAsync(
            Call(string.Concat(tips.Select(tip => tip + "\n")), "pack-objects", "--revs", "-q", Path.Combine(repository.Objects, "pack", "pack")), cancellationToken).ConfigureAwait(false);
        return packed.Succeeded ? (tips, int.Parse(counted.Line, CultureInfo.InvariantCulture)) : ([], 0);
    }
}
