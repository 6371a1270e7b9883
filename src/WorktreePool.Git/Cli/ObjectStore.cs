using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// The repository's objects, as far as slots need them: whether a commit is whole, and getting it anew from the trusted remotes when a crash, a
/// full disk or a holder has damaged it.
/// </summary>
internal sealed class ObjectStore(RepositoryLayout repository, Baseline baseline, NeutralDirectory neutral, ObjectWitness witness, GitRunner git)
{
    /// <summary>Whether a commit is known to be one, and there.</summary>
    public bool IsKnown(string commit) => witness.HoldsCommit(commit);

    /// <summary>What is wrong with a commit's objects; null when it is whole.</summary>
    public async ValueTask<Finding?> ExamineAsync(string commit, CancellationToken cancellationToken)
    {
        if (witness.Holds(commit))
        {
            return null;
        }

        Pipes.SetAside(repository);

        // The pool's own git does not look at it; a holder's does not begin with a damaged one.
        if (ShortcutIn(Path.Combine(repository.Objects, "pack")) is var shortcut && SafeFile.IsRealFile(shortcut) && !Checksum.IsRight(shortcut, Checksum.LengthIn(baseline.Current.ObjectFormat)))
        {
            return new Finding(FindingIds.ObjectsMissing, $"{shortcut} is damaged, and git does not begin with it");
        }

        GitResult listed = await git.TryRunAsync(Call(repository.Objects, "rev-list", "--objects", "--no-object-names", "-n1", commit), cancellationToken).ConfigureAwait(false);
        if (!listed.Succeeded || listed.Error.Split('\n').Any(IsAboutObject))
        {
            return new Finding(FindingIds.ObjectsMissing, $"objects of {commit} are missing or damaged: {listed.Error.Trim().ReplaceLineEndings(" / ")}");
        }

        try
        {
            witness.Remember(commit, listed.Output.Split('\n').ToHashSet(StringComparer.Ordinal));
            return null;
        }
        catch (InvalidDataException e)
        {
            return new Finding(FindingIds.ObjectsMissing, $"objects of {commit} are damaged: {e.Message}");
        }
    }

    /// <summary>An alternate that is not there is no damage as long as nothing is missed for it.</summary>
    private static bool IsAboutObject(string line) => line.StartsWith("error: ", StringComparison.Ordinal) && !line.Contains("alternate", StringComparison.Ordinal);

    /// <summary>Gets a damaged commit anew, with all of its history.</summary>
    /// <exception cref="GitBackendException">No trusted remote has it.</exception>
    public async ValueTask RepairAsync(string commit, CancellationToken cancellationToken)
    {
        if (await ExamineAsync(commit, cancellationToken).ConfigureAwait(false) is not { } damage)
        {
            return;
        }

        // Where one object was damaged, others may be: all that the remotes have is fetched.
        if (SetRubbishAside() && await ExamineAsync(commit, cancellationToken).ConfigureAwait(false) is null)
        {
            // Only what stood for the objects was damaged, not they themselves.
            return;
        }

        List<string> failures = await RefetchAsync(cancellationToken).ConfigureAwait(false);
        if (await ExamineAsync(commit, cancellationToken).ConfigureAwait(false) is not null)
        {
            string why = failures.Count > 0 ? string.Join("; ", failures) : baseline.Current.Remotes.Count > 0 ? "no trusted remote has it" : "the repository has no trusted remote";
            throw new GitBackendException($"{damage.Detail}; it could not be fetched anew: {why}. Nothing was removed. Restore the objects from a backup or another clone, then claim again.");
        }
    }

    /// <summary>Fetches all that the trusted remotes have, beside what is there, because git takes what it believes to have for what it has.</summary>
    /// <returns>Which remotes failed, and why.</returns>
    public async ValueTask<List<string>> RefetchAsync(CancellationToken cancellationToken)
    {
        List<string> failures = [];
        foreach ((string name, string url) in baseline.Current.Remotes)
        {
            string fresh = Path.Combine(repository.Scratch, $"refetch-{Guid.NewGuid():N}");
            try
            {
                neutral.Write(fresh);
                GitResult fetched = await FetchAsync(fresh, url, cancellationToken).ConfigureAwait(false);
                if (fetched.Succeeded)
                {
                    PackFiles.TakeOver(Path.Combine(fresh, "objects", "pack"), Path.Combine(repository.Objects, "pack"));
                }
                else
                {
                    failures.Add($"{name}: {fetched.Error.Trim().ReplaceLineEndings(" / ")}");
                }
            }
            finally
            {
                TreeRemoval.Remove(fresh);
            }
        }

        return failures;
    }

    private ValueTask<GitResult> FetchAsync(string directory, string url, CancellationToken cancellationToken) => git.TryRunAsync(
        new GitCall("fetch", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--end-of-options", repository.AbsoluteUrl(url), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        {
            Subject = repository.CommonDirectory,
            Environment = new Dictionary<string, string> { ["GIT_DIR"] = directory },

            // One pack, however little it is: single objects would not replace damaged ones of the same name.
            Settings = [new("fetch.unpackLimit", "1")],
        }.ToRemote(baseline.Current),
        cancellationToken);

    /// <summary>
    /// An empty file in the place of an object holds nothing and goes. A pack whose checksum is not the one in its index is never opened by git
    /// (packfile.c, open_packed_git_1), but makes it complain: it goes where a person can still look at it.
    /// </summary>
    /// <returns>Whether there was any.</returns>
    public bool SetRubbishAside()
    {
        bool any = false;
        foreach ((_, string file) in ObjectWitness.Loose(repository.Objects).Where(pair => new FileInfo(pair.File).Length == 0).ToList())
        {
            TreeRemoval.Remove(file);
            any = true;
        }

        int length = Checksum.LengthIn(baseline.Current.ObjectFormat);
        string packs = Path.Combine(repository.Objects, "pack");
        foreach (string index in SafeFile.IsRealDirectory(packs) ? Directory.EnumerateFiles(packs, "*.idx").ToList() : [])
        {
            string pack = Path.ChangeExtension(index, ".pack");
            if (File.Exists(pack) && !Checksum.Tail(pack, length, 0).AsSpan().SequenceEqual(Checksum.Tail(index, length, length)))
            {
                any = true;
                Directory.CreateDirectory(repository.Damaged);
                CrashPoint.Reached("directory of damaged packs made");
                foreach (string part in Directory.EnumerateFiles(packs, Path.GetFileNameWithoutExtension(index) + ".*").ToList())
                {
                    File.Move(part, Path.Combine(repository.Damaged, Path.GetFileName(part)), overwrite: true);
                    CrashPoint.Reached($"damaged {Path.GetExtension(part)} set aside");
                }
            }
        }

        return SetShortcutAside(packs, length) || any;
    }

    /// <summary>
    /// Every single object that cannot be read goes where a person can still look at it: git writes none again that seems to be there (object-file.c, freshen_loose_object). Reads all of them, so
    /// only where something fails already.
    /// </summary>
    /// <returns>Whether there was any.</returns>
    public bool SetUnreadableAside(CancellationToken cancellationToken)
    {
        bool any = false;
        foreach ((string id, string file) in ObjectWitness.Loose(repository.Objects).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!LooseObject.IsWhole(file))
            {
                any = true;
                Directory.CreateDirectory(repository.Damaged);
                CrashPoint.Reached("place for unreadable objects made");
                File.Move(file, Path.Combine(repository.Damaged, id), overwrite: true);
                CrashPoint.Reached("unreadable object set aside");
            }
        }

        return any;
    }

    /// <summary>The index over many packs is made from theirs and says nothing new; with one that is damaged git does not begin (midx.c).</summary>
    private bool SetShortcutAside(string packs, int length)
    {
        string shortcut = ShortcutIn(packs);
        if (!SafeFile.IsRealFile(shortcut) || Checksum.IsRight(shortcut, length))
        {
            return false;
        }

        Directory.CreateDirectory(repository.Damaged);
        CrashPoint.Reached("place for what is damaged made");
        File.Move(shortcut, Path.Combine(repository.Damaged, Path.GetFileName(shortcut)), overwrite: true);
        CrashPoint.Reached("index over packs set aside");
        return true;
    }

    private static string ShortcutIn(string packs) => Path.Combine(packs, "multi-pack-index");

    private GitCall Call(string objects, params IReadOnlyList<string> arguments) =>
        new(arguments)
        {
            Subject = repository.CommonDirectory,
            Environment = neutral.EnvironmentFor(null, null, objects),
        };
}
