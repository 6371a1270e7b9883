using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>The refs under <c>refs/worktree-pool/rescue/</c>.</summary>
/// <param name="refs">The repository that the slots belong to.</param>
/// <param name="isolated">How work leaves a repository of the pool's own; null when it is a user's.</param>
internal sealed class RescueArchive(RepositoryRefs refs, RescueReturn? isolated) : IRescueArchive
{
    public async ValueTask<IReadOnlyList<Rescue>> ListAsync(CancellationToken cancellationToken)
    {
        GitResult listed = await refs.RunAsync(cancellationToken, "for-each-ref", "--format=%(refname)%00%(objectname)%00%(contents)%00", RepositoryRefs.RescuePrefix).ConfigureAwait(false);
        string[] fields = listed.Output.Split('\0');
        List<Rescue> rescues = [];
        for (int i = 0; i + 2 < fields.Length; i += 3)
        {
            rescues.Add(RescueMessage.Read(fields[i].TrimStart('\n'), fields[i + 1], fields[i + 2]));
        }

        return [.. rescues.OrderByDescending(rescue => rescue.At)];
    }

    public async ValueTask<string> ShowAsync(string id, CancellationToken cancellationToken)
    {
        string commit = await FindAsync(id, cancellationToken).ConfigureAwait(false);
        GitResult shown = await refs.RunAsync(cancellationToken, "show", "--first-parent", "--no-ext-diff", "--no-textconv", "--no-color", "--stat", "-p", "-m", commit).ConfigureAwait(false);
        return shown.Output;
    }

    public async ValueTask<string> RestoreAsync(string id, string branch, CancellationToken cancellationToken)
    {
        string commit = await FindAsync(id, cancellationToken).ConfigureAwait(false);
        string reference = $"refs/heads/{branch}";
        await refs.CheckBranchNameAsync(branch, cancellationToken).ConfigureAwait(false);
        if (isolated is not null && await isolated.TryReturnAsync(id, branch, cancellationToken).ConfigureAwait(false) is { } clone)
        {
            return clone;
        }

        if (await refs.ResolveAsync(reference, cancellationToken).ConfigureAwait(false) is not null || !await refs.TryCreateAsync(reference, commit, cancellationToken).ConfigureAwait(false))
        {
            throw new BranchExistsException($"Branch \"{branch}\" exists already and was left as it is. Choose another name; rescue {id} is still there.");
        }

        if (isolated is not null)
        {
            // A sweep may have taken it for a stray before it was known.
            isolated.Keep(reference, commit);
            await refs.TryCreateAsync(reference, commit, cancellationToken).ConfigureAwait(false);
        }

        return refs.CommonDirectory;
    }

    public async ValueTask DropAsync(string id, CancellationToken cancellationToken)
    {
        string commit = await FindAsync(id, cancellationToken).ConfigureAwait(false);
        GitResult message = await refs.RunAsync(cancellationToken, "show", "-s", "--format=%B", commit).ConfigureAwait(false);
        if (RescueMessage.Read(RepositoryRefs.RescuePrefix + id, commit, message.Output).Aside is { } aside && SafeFile.IsRealDirectory(aside) && Path.GetFileName(aside) == id)
        {
            TreeRemoval.Remove(aside);
        }

        isolated?.Forget(RepositoryRefs.RescuePrefix + id);
        await refs.DeleteAsync(RepositoryRefs.RescuePrefix + id, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<string> FindAsync(string id, CancellationToken cancellationToken) =>
        await refs.ResolveAsync(RepositoryRefs.RescuePrefix + id, cancellationToken).ConfigureAwait(false)
        ?? throw new RescueNotFoundException($"There is no rescue \"{id}\". See worktree-pool rescue list.");
}
