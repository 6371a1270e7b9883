using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool;

namespace TicketDispatcher;

/// <summary>One ticket in its slot, in a process of its own: as long as it lives the lease does.</summary>
internal sealed class Worker([FromKeyedServices("tickets")] IWorktreePool pool, TicketFolder tickets, IProcessTable processes)
{
    public async Task<int> RunAsync(string ticket)
    {
        if (!LeaseToken.TryParse(Environment.GetEnvironmentVariable("WORKTREE_POOL_TOKEN"), out LeaseToken? token) || await pool.TryAttachAsync(token) is not { } lease)
        {
            return 1;
        }

        await using (lease)
        {
            try
            {
                await lease.TransferAsync(LeaseOwner.ForProcess(processes.Current), lease.LostToken);
            }
            catch (LeaseLostException)
            {
                // The dispatcher that started this worker was killed, and another one was faster: the ticket is being tried again.
                return 1;
            }

            using Process script = Process.Start(new ProcessStartInfo("/bin/sh", ["-e", tickets.Script(ticket)]) { WorkingDirectory = lease.Path })!;
            await script.WaitForExitAsync();

            // First the ticket, then (by disposing) the slot: whoever gets the key next finds the ticket finished.
            tickets.Finish(ticket, script.ExitCode == 0);
            return script.ExitCode;
        }
    }
}
