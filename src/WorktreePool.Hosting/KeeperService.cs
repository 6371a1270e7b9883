using Microsoft.Extensions.Hosting;

namespace WorktreePool.Hosting;

/// <summary>Keeps one pool for as long as the host runs. What it does and what fails is in the pool's log; nothing that fails ends it.</summary>
internal sealed class KeeperService(IWorktreePool pool) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host starts its other services without waiting for the first pass.
        await Task.Yield();
        try
        {
            await foreach (MaintenanceReport _ in pool.KeepAsync(cancellationToken: stoppingToken).ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }
}
