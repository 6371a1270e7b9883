using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace WorktreePool.Runtime;

/// <summary>
/// Claims many at once. Slots are taken one request after the other, so that the first requests get them, and prepared side by side: taking is quick,
/// preparing is not. What was not handed over goes back.
/// </summary>
internal sealed class BatchClaiming(PoolContext context, Claiming claiming, Refusals refusals, Func<ClaimOutcome, SlotLease> hold)
{
    /// <summary>All results, in the order of the requests.</summary>
    public async Task<BatchClaim> RunAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken)
    {
        var results = new ClaimResult?[requests.Count];
        try
        {
            await foreach (BatchClaimItem item in StreamAsync(requests, cancellationToken).ConfigureAwait(false))
            {
                results[item.Index] = item.Result;
            }

            return new BatchClaim(results!);
        }
        catch
        {
            await ReturnAsync(results.OfType<ClaimResult>()).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Each result as soon as it is there.</summary>
    public async IAsyncEnumerable<BatchClaimItem> StreamAsync(IReadOnlyList<ClaimRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var done = Channel.CreateUnbounded<BatchClaimItem>(new UnboundedChannelOptions { SingleReader = true });
        Task work = Task.Run(() => RunAllAsync(requests, done.Writer, over.Token), CancellationToken.None);
        try
        {
            await foreach (BatchClaimItem item in done.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return item;
            }

            await work.ConfigureAwait(false);
        }
        finally
        {
            // The reader has left, or there is nothing more to read: what is under way ends, and what it brought goes back.
            await over.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            List<ClaimResult> rest = [];
            while (done.Reader.TryRead(out BatchClaimItem? item))
            {
                rest.Add(item.Result);
            }

            await ReturnAsync(rest).ConfigureAwait(false);
        }
    }

    private async Task RunAllAsync(IReadOnlyList<ClaimRequest> requests, ChannelWriter<BatchClaimItem> done, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(context.Time, context.Options.ClaimTimeout, cancellationToken);
        using var places = new SemaphoreSlim(context.Options.BatchParallelism);
        List<Task<int?>> running = [];
        try
        {
            // A slot that one claim of the batch fails to use is another's: who found none is asked again when the others have ended.
            int[] indexes = [.. Enumerable.Range(0, requests.Count)];
            for (bool isLast = false; indexes.Length > 0; isLast = true)
            {
                running.Clear();
                foreach (int index in indexes)
                {
                    await places.WaitAsync(cancellationToken).ConfigureAwait(false);
                    var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    running.Add(ClaimAsync(index, requests[index], isLast, deadline, taken, places, done, cancellationToken));
                    await taken.Task.ConfigureAwait(false);
                }

                indexes = [.. (await Task.WhenAll(running).ConfigureAwait(false)).OfType<int>()];
            }
        }
        finally
        {
            await Task.WhenAll(running.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            done.Complete();
        }
    }

    /// <summary>One claim of the batch.</summary>
    /// <returns>Null when it has its result; its index when it found no slot and may try again.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "A failure is this one claim's result: it must not lose the leases of the others.")]
    private async Task<int?> ClaimAsync(
        int index, ClaimRequest request, bool isLast, Deadline deadline, TaskCompletionSource taken, SemaphoreSlim places, ChannelWriter<BatchClaimItem> done, CancellationToken cancellationToken)
    {
        try
        {
            ClaimOutcome outcome = deadline.HasPassed
                ? ClaimOutcome.Refused(await refusals.NoSlotAsync(request, await context.ReadAsync(cancellationToken).ConfigureAwait(false), context.Options.ClaimTimeout, []).ConfigureAwait(false))
                : await claiming.RunMeasuredAsync(request, mayWait: false, cancellationToken, deadline.Left, () => taken.TrySetResult()).ConfigureAwait(false);
            if (!isLast && outcome.Refusal is { Reason: RefusalReason.Exhausted or RefusalReason.Quarantined })
            {
                return index;
            }

            ClaimResult result = outcome.Refusal is { } refusal ? ClaimResult.Refused(refusal) : ClaimResult.Claimed(hold(outcome));
            done.TryWrite(new BatchClaimItem(index, request, result));
        }
        catch (Exception e) when (!(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            done.TryWrite(new BatchClaimItem(index, request, ClaimResult.Failed(e)));
        }
        finally
        {
            taken.TrySetResult();
            places.Release();
        }

        return null;
    }

    /// <summary>Leases that nobody was given: new ones are released, those that existed before go on without this object.</summary>
    private static Task ReturnAsync(IEnumerable<ClaimResult> results) => Task.WhenAll(results.Select(async result =>
    {
        if (result.Lease is { IsAttached: true } attached)
        {
            attached.Detach();
        }

        if (result.Lease is { } lease)
        {
            await lease.DisposeAsync().ConfigureAwait(false);
        }
    }));
}
