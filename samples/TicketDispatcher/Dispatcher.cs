using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using WorktreePool;

namespace TicketDispatcher;

/// <summary>
/// Every cycle: claims as many open tickets as there are slots, and starts a worker for each. It remembers nothing: a ticket in work holds its key in the
/// pool, so its claim is refused, by this dispatcher as by the one that comes after it was killed.
/// </summary>
internal sealed partial class Dispatcher(
    [FromKeyedServices("tickets")] IWorktreePool pool, TicketFolder tickets, IProcessTable processes, IConfiguration settings, ILogger<Dispatcher> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What a dispatcher before this one has begun. Its workers go on; what the dead held, the keeper takes back.
        foreach (SlotSnapshot held in await pool.ListLeasesAsync(new LeaseQuery(), stoppingToken))
        {
            InWork(logger, held.Record.Lease!.Key, held.Record.Slot, held.OwnerLiveness);
        }

        using var cycle = new PeriodicTimer(settings.GetValue("Cycle", TimeSpan.FromSeconds(1)));
        do
        {
            // A scheduler may start a second dispatcher while this one is at work: one of them dispatches, and none while the pool is paused.
            DispatchAttempt turn = await pool.TryEnterDispatchAsync("tickets", cancellationToken: stoppingToken);
            await using DispatchGate? gate = turn.Gate;
            if (gate is null)
            {
                NotNow(logger, turn.Message);
                continue;
            }

            ClaimRequest[] requests = [.. tickets.Open().Select(ticket => new ClaimRequest { Key = ticket, Branch = $"ticket/{ticket}" })];
            foreach (ClaimResult result in (await pool.ClaimWhatFitsAsync(requests, stoppingToken)).Results)
            {
                if (result.Lease is { } lease)
                {
                    await HandOverAsync(lease);
                }
            }
        }
        while (await cycle.WaitForNextTickAsync(stoppingToken));
    }

    private async Task HandOverAsync(SlotLease lease)
    {
        // Its worker may have finished it after the look into the folder, and only then released the key that this claim got.
        if (!tickets.IsOpen(lease.Key))
        {
            await lease.DisposeAsync();
            return;
        }

        // The worker finds the lease by the token in its environment, and makes it its own. Killed before that, this process is a dead
        // owner: the next claim of the ticket takes the slot back, and the worker is refused.
        var start = new ProcessStartInfo(Environment.ProcessPath!, [.. Environment.GetCommandLineArgs().Skip(1), "--Work", lease.Key]);
        foreach ((string name, string value) in lease.Environment)
        {
            start.Environment[name] = value;
        }

        using Process worker = Process.Start(start)!;
        Started(logger, lease.Key, lease.Slot, worker.Id);
        try
        {
            if (processes.Find(worker.Id) is { } owner)
            {
                await lease.TransferAsync(LeaseOwner.ForProcess(owner));
            }
        }
        catch (LeaseLostException)
        {
            // The worker has done its work and released already.
        }

        lease.Detach();
    }

    [LoggerMessage(LogLevel.Information, "{Ticket} is in work in {Slot} already, its worker is {Liveness}")]
    private static partial void InWork(ILogger logger, string ticket, string slot, Liveness liveness);

    [LoggerMessage(LogLevel.Information, "Nothing is dispatched now: {Reason}")]
    private static partial void NotNow(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "{Ticket} goes to {Slot}, worker {Pid}")]
    private static partial void Started(ILogger logger, string ticket, string slot, int pid);
}
