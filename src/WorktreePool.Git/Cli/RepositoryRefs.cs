using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Reads and moves refs of the real repository. These calls need its config, so every dangerous setting is overridden, and a config that git
/// cannot read is saved aside and the baseline's put back; so are the readable lines of packed-refs.
/// </summary>
internal sealed class RepositoryRefs(RepositoryLayout repository, Baseline baseline, StaleLocks locks, GitRunner git)
{
    /// <summary>How a saved config's name begins, beside the config.</summary>
    public const string SavedConfig = "config.worktree-pool-saved-";

    /// <summary>How the names of refs begin that only pools write.</summary>
    public const string OwnPrefix = "refs/worktree-pool/";

    public const string RescuePrefix = OwnPrefix + "rescue/";

    public string CommonDirectory => repository.CommonDirectory;

    /// <summary>The commit a full refname or id stands for; null when there is none.</summary>
    public async ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(cancellationToken, "rev-parse", "--verify", "-q", "--end-of-options", reference + "^{commit}").ConfigureAwait(false);
        return result.Succeeded && result.Line.Length >= 40 ? result.Line : null;
    }

    /// <summary>What a symbolic ref points at; null when it is none.</summary>
    public async ValueTask<string?> ReadSymbolicAsync(string reference, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(cancellationToken, "symbolic-ref", "-q", reference).ConfigureAwait(false);
        return result.Succeeded ? result.Line : null;
    }

    /// <summary>Creates a ref; false when it exists at another commit.</summary>
    public async ValueTask<bool> TryCreateAsync(string reference, string commit, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(cancellationToken, "update-ref", "--no-deref", reference, commit, new string('0', commit.Length)).ConfigureAwait(false);
        return result.Succeeded || await ResolveAsync(reference, cancellationToken).ConfigureAwait(false) == commit
            || (await ExistsAsync(reference, cancellationToken).ConfigureAwait(false)
                ? false
                : throw new GitBackendException($"{reference} could not be made in {repository.CommonDirectory}: {result.Error.Trim()}"));
    }

    /// <summary>Makes a ref of the pool's own lead to a commit, unless it leads to one already, and brings it to the disk.</summary>
    /// <returns>The commit that it leads to.</returns>
    public async ValueTask<string> KeepAsync(string reference, string commit, CancellationToken cancellationToken)
    {
        string file = Path.Combine(repository.CommonDirectory, reference);
        string? kept = null;
        if (SafeFile.Exists(file))
        {
            kept = await ResolveAsync(reference, cancellationToken).ConfigureAwait(false);
            if (kept is null)
            {
                // What a power loss left of it. Git neither moves nor deletes such a one.
                TreeRemoval.Remove(file);
                CrashPoint.Reached("broken ref removed");
            }
        }

        kept ??= await TryCreateAsync(reference, commit, cancellationToken).ConfigureAwait(false) ? commit
            : await ResolveAsync(reference, cancellationToken).ConfigureAwait(false)
            ?? throw new GitBackendException($"{reference} could not be made in {repository.CommonDirectory}: it is there, and leads to no commit. Delete it with git update-ref --no-deref -d.");
        SafeFile.TryFlush(file);
        for (string? directory = Path.GetDirectoryName(file); directory?.Length > repository.CommonDirectory.Length; directory = Path.GetDirectoryName(directory))
        {
            DirectorySync.Flush(directory);
        }

        return kept;
    }

    /// <summary>Refuses a name that git would not take for a branch, or would take for another one.</summary>
    public async ValueTask CheckBranchNameAsync(string branch, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(cancellationToken, "check-ref-format", "--branch", branch).ConfigureAwait(false);
        if (!result.Succeeded || result.Output != branch + "\n")
        {
            throw new GitBackendException($"Git does not accept \"{branch}\" as the name of a branch. Nothing was changed.");
        }
    }

    /// <summary>Moves a ref, whatever it is now.</summary>
    public ValueTask<GitResult> TryMoveAsync(string reference, string commit, CancellationToken cancellationToken) =>
        TryRunAsync(cancellationToken, "update-ref", "--no-deref", reference, commit);

    /// <summary>Deletes a ref; a missing one is fine.</summary>
    public async ValueTask DeleteAsync(string reference, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(cancellationToken, "update-ref", "--no-deref", "-d", reference).ConfigureAwait(false);
        if (!result.Succeeded && await ExistsAsync(reference, cancellationToken).ConfigureAwait(false))
        {
            throw new GitBackendException($"{reference} could not be deleted in {repository.CommonDirectory}: {result.Error.Trim()}. It was left as it is.");
        }
    }

    /// <summary>Runs git on the repository itself.</summary>
    public async ValueTask<GitResult> RunAsync(CancellationToken cancellationToken, params IReadOnlyList<string> arguments)
    {
        GitResult result = await TryRunAsync(cancellationToken, arguments).ConfigureAwait(false);
        return result.Succeeded ? result : throw new GitBackendException(
            $"git {string.Join(' ', arguments.Take(2))} failed in {repository.CommonDirectory} (exit {result.ExitCode}): {result.Error.Trim()}");
    }

    /// <summary>Runs git on the repository itself and returns whatever it says.</summary>
    public async ValueTask<GitResult> TryRunAsync(CancellationToken cancellationToken, params IReadOnlyList<string> arguments)
    {
        Pipes.SetAside(repository);
        var call = new GitCall(arguments)
        {
            Subject = repository.CommonDirectory,
            Environment = new Dictionary<string, string> { ["GIT_DIR"] = repository.CommonDirectory },
            Settings = [.. HermeticSettings.Settings, HermeticSettings.DurableRefs],
        };
        GitResult result = await git.TryRunAsync(call, cancellationToken).ConfigureAwait(false);
        bool isMended = result.ExitCode == 128
            && ((IsConfigFailure(result.Error) && PutConfigBack()) || (result.Error.Contains("packed-refs", StringComparison.Ordinal) && new PackedRefs(repository).TryMendAside()));
        if (isMended)
        {
            result = await git.TryRunAsync(call, cancellationToken).ConfigureAwait(false);
        }

        return await locks.PassAsync(result, () => git.TryRunAsync(call, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> ExistsAsync(string reference, CancellationToken cancellationToken) =>
        (await TryRunAsync(cancellationToken, "show-ref", "--verify", "-q", reference).ConfigureAwait(false)).Succeeded;

    private static bool IsConfigFailure(string error) =>
        error.Contains("bad config", StringComparison.Ordinal) || error.Contains("unknown repository extension", StringComparison.Ordinal)
        || error.Contains("Expected git repo version", StringComparison.Ordinal) || error.Contains("extension found", StringComparison.Ordinal)
        || error.Contains("exceeded maximum include depth", StringComparison.Ordinal) || error.Contains("config': Too many levels of symbolic links", StringComparison.Ordinal);

    private bool PutConfigBack()
    {
        if (baseline.Current.Config.Length == 0)
        {
            return false;
        }

        if (repository.IsIsolated)
        {
            // Nobody's but the pool's: there is nothing to save.
            SafeFile.Write(repository.Config, baseline.Current.Config);
            return true;
        }

        string present = SafeFile.TryRead(repository.Config) ?? (new FileInfo(repository.Config).LinkTarget is { } target ? $"# a link to {target}\n" : "");
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(present)))[..12];
        SafeFile.Write(Path.Combine(repository.CommonDirectory, SavedConfig + hash), present);
        SafeFile.Write(repository.Config, baseline.Current.Config);
        return true;
    }
}
