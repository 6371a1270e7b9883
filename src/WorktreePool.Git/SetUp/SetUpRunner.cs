using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.SetUp;

/// <summary>Set-up steps and copied files on this machine.</summary>
internal sealed class SetUpRunner(WorktreePoolOptions options, TimeProvider time) : ISetUpRunner
{
    private readonly StepProcess _process = new(options.SlotsDirectory, time);
    private readonly CopiedFiles _copies = new(options.RepositoryPath);

    public ValueTask<string> FingerprintAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken) =>
        ReadAsync(place, step, () => InputFingerprint.Of(place.Path, step, cancellationToken), cancellationToken);

    public ValueTask<string> ExamineAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken) =>
        ReadAsync(place, step, () => MadeDigest.Of(place.Path, step, cancellationToken), cancellationToken);

    public ValueTask RunAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken) => _process.RunAsync(place, step, cancellationToken);

    public async ValueTask RemoveMadeAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken) =>
        await ReadAsync(place, step, () =>
        {
            foreach (string path in PatternMatches.Find(place.Path, step.Makes))
            {
                cancellationToken.ThrowIfCancellationRequested();
                TreeRemoval.Remove(Path.Combine(place.Path, path));
            }

            return "";
        }, cancellationToken).ConfigureAwait(false);

    public ValueTask CopyAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken) => _copies.CopyAsync(place, files, cancellationToken);

    public ValueTask RemoveCopiesAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        CopiedFiles.Remove(place, files, cancellationToken);
        return ValueTask.CompletedTask;
    }

    /// <summary>A walk of a large tree takes a while: the caller's thread is not for that.</summary>
    private static async ValueTask<string> ReadAsync(SlotPlace place, SetUpStep step, Func<string> work, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(work, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or GitBackendException)
        {
            throw new SetUpFailedException($"What set-up step \"{step.Name}\" needs or made in {place.Slot} cannot be read or removed: {e.Message}", e);
        }
    }
}
