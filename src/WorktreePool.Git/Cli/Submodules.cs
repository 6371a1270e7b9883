using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// The submodules of a slot: those that the user has initialised are as recorded, recursively; all others are empty directories, as a clone has
/// them. URLs come from the trusted baseline, never from <c>.gitmodules</c>. Heal means: make the submodule's git directory anew.
/// </summary>
internal sealed class Submodules(Baseline baseline, SubmoduleStore store, WorktreeGit git, WorktreeProber prober, WorktreeMaker maker)
{
    /// <summary>What is wrong with a slot's submodules.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="commit">Its commit.</param>
    /// <param name="recorded">For each path of a submodule in it the commit that is recorded there.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public async ValueTask<List<Finding>> ExamineAsync(GitWorktree slot, string commit, IReadOnlyDictionary<string, string> recorded, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        HashSet<string> expected = new(StringComparer.Ordinal);
        await ExamineInAsync(slot, commit, recorded, ModulesOf(slot), "", expected, findings, cancellationToken).ConfigureAwait(false);
        findings.AddRange(Leftover(ModulesOf(slot), expected).Select(path => new Finding(FindingIds.AdminResidue, Path.GetRelativePath(slot.Directory, path))));
        return findings;
    }

    /// <summary>Makes a slot's submodules as recorded.</summary>
    /// <param name="slot">The slot, whose own index and files are right.</param>
    /// <param name="commit">Its commit.</param>
    /// <param name="recorded">For each path of a submodule in it the commit that is recorded there.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    public async ValueTask MakeAsync(GitWorktree slot, string commit, IReadOnlyDictionary<string, string> recorded, CancellationToken cancellationToken)
    {
        HashSet<string> expected = new(StringComparer.Ordinal);
        await MakeInAsync(slot, commit, recorded, ModulesOf(slot), "", expected, cancellationToken).ConfigureAwait(false);
        foreach (string path in Leftover(ModulesOf(slot), expected).ToList())
        {
            TreeRemoval.Remove(path);
        }
    }

    /// <summary>The submodules that a worktree's commit records and the user has initialised.</summary>
    /// <param name="above">A slot, or a submodule.</param>
    /// <param name="commit">Its commit.</param>
    /// <param name="recorded">For each path of a submodule in it the commit that is recorded there.</param>
    /// <param name="prefix">Where the git directories of its submodules are below <c>modules</c>; empty for a slot.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    private async ValueTask<List<Submodule>> ListAsync(GitWorktree above, string commit, IReadOnlyDictionary<string, string> recorded, string prefix, CancellationToken cancellationToken)
    {
        if (recorded.Count == 0 || baseline.Current.Modules.Count == 0)
        {
            return [];
        }

        List<Submodule> listed = [];
        GitResult names = await git.TryRunAsync(above, cancellationToken, "config", "--blob", commit + ":.gitmodules", "-z", "--get-regexp", "^submodule\\..*\\.path$").ConfigureAwait(false);
        foreach (string field in names.Succeeded ? names.Fields : [])
        {
            // "submodule.NAME.path\nPATH"; see gitmodules(5).
            int newline = field.IndexOf('\n', StringComparison.Ordinal);
            string module = prefix + field["submodule.".Length..(newline - ".path".Length)], path = field[(newline + 1)..];
            if (recorded.TryGetValue(path, out string? own) && baseline.Current.Modules.TryGetValue(module, out string? url))
            {
                listed.Add(new Submodule(above, path, module, own, url));
            }
        }

        return listed;
    }

    private async ValueTask ExamineInAsync(
        GitWorktree above, string commit, IReadOnlyDictionary<string, string> recorded, string modules, string prefix, HashSet<string> expected, List<Finding> findings, CancellationToken cancellationToken)
    {
        List<Submodule> listed = await ListAsync(above, commit, recorded, prefix, cancellationToken).ConfigureAwait(false);
        foreach (string path in recorded.Keys.Where(path => listed.TrueForAll(submodule => submodule.Path != path)))
        {
            string full = Path.Combine(above.Path, path);
            if (!RealPaths.IsIn(above.Path, full) || Directory.EnumerateFileSystemEntries(full).Any())
            {
                findings.Add(new Finding(FindingIds.SubmoduleDiffers, $"{path} is not initialised in the repository, so it shall be an empty directory"));
            }
        }

        foreach (Submodule submodule in listed)
        {
            GitWorktree tree = submodule.In(modules);
            expected.Add(tree.Directory);
            if (SubmoduleDirectory.WhyNot(tree, modules, submodule.Url, store.ObjectsOf(submodule.Module)) is { } structure)
            {
                findings.Add(new Finding(FindingIds.SubmoduleDiffers, $"{submodule.Path} {structure}"));
            }
            else if (SafeFile.TryRead(Path.Combine(tree.Directory, "HEAD")) != submodule.Commit + "\n")
            {
                findings.Add(new Finding(FindingIds.SubmoduleDiffers, $"{submodule.Path} is not at {submodule.Commit}"));
            }
            else
            {
                List<Finding> own = [];
                if (await prober.ExamineAsync(tree, submodule.Commit, own, cancellationToken).ConfigureAwait(false) is { } inner)
                {
                    await ExamineInAsync(tree, submodule.Commit, inner.Submodules, modules, submodule.Module + "/modules/", expected, own, cancellationToken).ConfigureAwait(false);
                }

                findings.AddRange(own.Select(finding => new Finding(FindingIds.SubmoduleDiffers, $"{submodule.Path}: {finding}")));
            }
        }
    }

    private async ValueTask MakeInAsync(GitWorktree above, string commit, IReadOnlyDictionary<string, string> recorded, string modules, string prefix, HashSet<string> expected, CancellationToken cancellationToken)
    {
        List<Submodule> listed = await ListAsync(above, commit, recorded, prefix, cancellationToken).ConfigureAwait(false);
        foreach (string path in recorded.Keys.Where(path => listed.TrueForAll(submodule => submodule.Path != path)))
        {
            TreeRemoval.Remove(Path.Combine(above.Path, path));
            Directory.CreateDirectory(Path.Combine(above.Path, path));
            CrashPoint.Reached("unlisted submodule emptied");
        }

        foreach (Submodule submodule in listed)
        {
            GitWorktree tree = submodule.In(modules);
            expected.Add(tree.Directory);
            if (await ReadReadyAsync(submodule, tree, modules, cancellationToken).ConfigureAwait(false) is not { } inner)
            {
                await store.EnsureAsync(submodule, cancellationToken).ConfigureAwait(false);
                string branches = await store.RemoteBranchesAsync(submodule.Module, cancellationToken).ConfigureAwait(false);
                SubmoduleDirectory.Make(tree, modules, submodule.Commit, submodule.Url, store.ObjectsOf(submodule.Module), branches);
                inner = await maker.MakeAsync(tree, submodule.Commit, cancellationToken).ConfigureAwait(false);
            }

            await MakeInAsync(tree, submodule.Commit, inner, modules, submodule.Module + "/modules/", expected, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The submodules in a submodule that is itself as recorded, without those; null when it is not.</summary>
    private async ValueTask<IReadOnlyDictionary<string, string>?> ReadReadyAsync(Submodule submodule, GitWorktree tree, string modules, CancellationToken cancellationToken)
    {
        List<Finding> own = [];
        return SubmoduleDirectory.WhyNot(tree, modules, submodule.Url, store.ObjectsOf(submodule.Module)) is null
            && SafeFile.TryRead(Path.Combine(tree.Directory, "HEAD")) == submodule.Commit + "\n"
            && await prober.ExamineAsync(tree, submodule.Commit, own, cancellationToken).ConfigureAwait(false) is { } tracked
            && own.Count == 0
            ? tracked.Submodules : null;
    }

    private static string ModulesOf(GitWorktree slot) => Path.Combine(slot.Directory, "modules");

    /// <summary>What lies in the slot's modules that belongs to no submodule.</summary>
    private static IEnumerable<string> Leftover(string directory, HashSet<string> expected)
    {
        if (!SafeFile.IsRealDirectory(directory))
        {
            yield break;
        }

        foreach (string path in Directory.EnumerateFileSystemEntries(directory))
        {
            bool isAbove = expected.Any(wanted => wanted.StartsWith(path + Path.DirectorySeparatorChar, StringComparison.Ordinal));
            if (expected.Contains(path))
            {
                foreach (string below in Leftover(Path.Combine(path, "modules"), expected))
                {
                    yield return below;
                }
            }
            else if (isAbove && SafeFile.IsRealDirectory(path))
            {
                foreach (string below in Leftover(path, expected))
                {
                    yield return below;
                }
            }
            else
            {
                yield return path;
            }
        }
    }
}
