namespace WorktreePool;

/// <summary>
/// What a pool with set-up steps or copied files asks of the machine. Works in one slot at a time, whose working lock the caller holds. No policy
/// inside: when a step runs, and what becomes of a failure, is decided by the caller. Never follows a link, neither out of the slot nor in the main checkout.
/// </summary>
public interface ISetUpRunner
{
    /// <summary>A digest of the step's definition and of the content and mode of its input files as they lie in the slot.</summary>
    /// <param name="place">A ready slot.</param>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="SetUpFailedException">An input cannot be read.</exception>
    ValueTask<string> FingerprintAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken);

    /// <summary>A digest of what lies at the step's <see cref="SetUpStep.Makes"/>, as thorough as its <see cref="SetUpStep.Check"/>. Changes nothing.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="SetUpFailedException">It cannot be read.</exception>
    ValueTask<string> ExamineAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken);

    /// <summary>Runs the step's command. On cancellation, and after <see cref="SetUpStep.Timeout"/>, it is killed with all the processes it started.</summary>
    /// <param name="place">A ready slot in which nothing of what the step makes is left.</param>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <exception cref="SetUpFailedException">It could not be started, failed, or took too long; the message has the end of what it wrote.</exception>
    ValueTask RunAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken);

    /// <summary>Removes whatever lies at the step's <see cref="SetUpStep.Makes"/>, links as links.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Ends the work; it can be repeated.</param>
    /// <exception cref="SetUpFailedException">Something refuses to go.</exception>
    ValueTask RemoveMadeAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken);

    /// <summary>Copies files from the main checkout, with their modes. Each stands in the slot whole or not at all.</summary>
    /// <param name="place">A ready slot in which none of them is.</param>
    /// <param name="files">Their paths, as in <see cref="WorktreePoolOptions.Copy"/>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="SetUpFailedException">The main checkout has no such regular file, or the slot has something in its place.</exception>
    ValueTask CopyAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken);

    /// <summary>Removes copied files, and directories that only they were in; what is no file, or not there, is left alone.</summary>
    /// <param name="place">The slot, in whatever state.</param>
    /// <param name="files">Their paths.</param>
    /// <param name="cancellationToken">Ends the work; it can be repeated.</param>
    ValueTask RemoveCopiesAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken);
}
