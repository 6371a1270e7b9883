namespace WorktreePool.Testing;

/// <summary>Set-up steps and copied files: nothing is run, everything is told.</summary>
public sealed partial class ScriptedGitBackend : ISetUpRunner
{
    private readonly Dictionary<string, string> _inputs = new(StringComparer.Ordinal);

    /// <summary>Changes what a set-up step's input files hold, in all slots.</summary>
    /// <param name="step">The step's name.</param>
    /// <param name="content">What they hold now.</param>
    public void SetInput(string step, string content) => Locked(() => _inputs[step] = content);

    ValueTask<string> ISetUpRunner.FingerprintAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Locked(() => Digest($"{step.Name} {string.Join(' ', step.Command)} {_inputs.GetValueOrDefault(step.Name)}")));
    }

    ValueTask<string> ISetUpRunner.ExamineAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Locked(() => Slot(place.Slot).MadeBy(step.Name)));
    }

    ValueTask ISetUpRunner.RunAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.SetUp, place.Slot, step.Name), () => Slot(place.Slot).Make(step.Name), cancellationToken);

    ValueTask ISetUpRunner.RemoveMadeAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Locked(() => Slot(place.Slot).Unmake(step.Name));
        return default;
    }

    ValueTask ISetUpRunner.CopyAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Copy, place.Slot, string.Join(' ', files)), () => Slot(place.Slot).Write(files), cancellationToken);

    ValueTask ISetUpRunner.RemoveCopiesAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Locked(() => Slot(place.Slot).TakeOut(files));
        return default;
    }
}
