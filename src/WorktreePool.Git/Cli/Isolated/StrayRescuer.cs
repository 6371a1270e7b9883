using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Keeps the commits of a ref that is about to go, if nothing else keeps them. Works on objects alone, in the neutral directory: whatever the
/// repository's config and refs say does not count.
/// </summary>
internal sealed class StrayRescuer(RepositoryLayout repository, NeutralDirectory neutral, RepositoryRefs refs, DurableObjects durable, KeptCommits kept, GitRunner git)
{
    /// <summary>Keeps what only this ref has.</summary>
    /// <param name="name">The ref, or another word for where the commits were found.</param>
    /// <param name="tip">What it stands at.</param>
    /// <param name="seen">The base as the pool has it; null for none.</param>
    /// <param name="sweep">What for.</param>
    /// <param name="isOwn">Whether it was made in the slot that is swept for.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Null when there was nothing to keep.</returns>
    public async ValueTask<Rescue?> KeepAsync(string name, string tip, string? seen, RefSweep sweep, bool isOwn, CancellationToken cancellationToken)
    {
        GitResult peeled = await git.TryRunAsync(Call("rev-parse", "--verify", "-q", tip + "^{commit}"), cancellationToken).ConfigureAwait(false);
        if (!peeled.Succeeded)
        {
            // A blob or a tree, which is nobody's work by itself, or nothing that can be read any more.
            return null;
        }

        string commit = peeled.Line;

        // Where history is damaged, better one rescue too many.
        int commits = await kept.CountOthersAsync([commit], seen, cancellationToken).ConfigureAwait(false) ?? 1;
        if (commits == 0)
        {
            return null;
        }

        string id = $"{Plain(name)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{commit}")))[..12]}";
        var rescue = new Rescue
        {
            Id = id,
            Ref = RepositoryRefs.RescuePrefix + id,
            Commit = commit,
            Key = isOwn ? sweep.Key : null,
            Slot = sweep.Place?.Slot ?? "",
            At = sweep.At,
            Files = 0,
            Commits = commits,
            Reason = $"{name} was left in the isolated repository",
        };
        string date = $"{sweep.At.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)} +0000";
        GitCall write = Call("commit-tree", commit + "^{tree}", "-p", commit, "-m", RescueMessage.Write(rescue));
        Dictionary<string, string> environment = write.Environment.ToDictionary();
        foreach (string who in new[] { "AUTHOR", "COMMITTER" })
        {
            environment[$"GIT_{who}_NAME"] = "WorktreePool";
            environment[$"GIT_{who}_EMAIL"] = "worktree-pool@localhost";
            environment[$"GIT_{who}_DATE"] = date;
        }

        // A commit whose files cannot be read any more is kept by itself.
        GitResult written = await git.TryRunAsync(write with { Environment = environment }, cancellationToken).ConfigureAwait(false);
        string keeper = written.Succeeded ? written.Line : commit;

        // Of a damaged one, as far as it can be read: nobody has more of it.
        _ = await durable.TryPackAsync(repository.CommonDirectory, Path.Combine(repository.Scratch, $"{FileRestorer.Making}{Guid.NewGuid():N}"), [keeper], seen is null ? [] : [seen], cancellationToken).ConfigureAwait(false);

        // Kept already, perhaps, by another process or before a crash, only under another time.
        rescue = rescue with { Commit = await refs.KeepAsync(rescue.Ref, keeper, cancellationToken).ConfigureAwait(false) };
        kept.Add(rescue);
        return rescue;
    }

    /// <summary>The last part of a ref's name, of letters that an id may have.</summary>
    private static string Plain(string name)
    {
        string last = name[(name.LastIndexOf('/') + 1)..];
        string plain = new([.. last.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        return plain.Trim('-') is { Length: > 0 } word ? word : "ref";
    }

    private GitCall Call(params IReadOnlyList<string> arguments) => new(arguments)
    {
        Subject = repository.CommonDirectory,
        Environment = neutral.EnvironmentFor(null, null, repository.Objects),
        Settings = [new("core.commitGraph", "false")],
    };
}
