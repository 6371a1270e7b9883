using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Git;

namespace WorktreePool.TestHelper;

/// <summary>
/// One process of a host of a fleet: claims, works and releases until its input ends. While it holds a slot and a key it holds a file lock for each;
/// the locks end with the process, and when its lease is said to be lost. A lock that is already held is a double hold. It says each claim, and each failure.
/// </summary>
public static class FleetWorker
{
    public const int Slots = 8, Keys = 30;

    public static readonly TimeSpan HostTimeout = TimeSpan.FromSeconds(12);

    /// <summary>Beyond this a call is not bounded: the claim's own time, and the release's, with room for a busy machine.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(string root, string host, int seed)
    {
        await using ServiceProvider services = Open(root, host, builder =>
            TestStore.UsePostgres(builder, options => options.HostTimeout = HostTimeout));
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("p");
        string marks = Path.Combine(root, "marks");
        using var stop = new CancellationTokenSource();
        Task input = Task.Run(async () =>
        {
            await Console.In.ReadToEndAsync();
            await stop.CancelAsync();
        });
        await Task.WhenAll(Enumerable.Range(0, 2).Select(loop => Task.Run(() => LoopAsync(pool, host, marks, new Random((seed * 2) + loop), stop.Token))));
        await input;
        return 0;
    }

    /// <summary>The pool as a process of that host opens it.</summary>
    public static ServiceProvider Open(string root, string host, Action<WorktreePoolBuilder> useStore)
    {
        var services = new ServiceCollection();
        services.NameWorktreePoolHost(host);
        useStore(services.AddWorktreePool("p", options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots) = (Path.Combine(root, host, "repo"), Path.Combine(root, host, "pool"), Slots);
            (options.ClaimTimeout, options.ReleaseTimeout) = (TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20));
        }).UseGit());
        return services.BuildServiceProvider();
    }

    private static async Task LoopAsync(IWorktreePool pool, string host, string marks, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            try
            {
                string key = $"K-{random.Next(Keys)}";
                ClaimResult result = await pool.TryClaimAsync(new ClaimRequest { Key = key, Branch = random.Next(2) == 0 ? $"cr/{key}" : null }, stop);
                if (result.Lease is { } lease)
                {
                    Console.WriteLine($"claimed {key} {host}/{lease.Slot}");
                    await WorkAsync(lease, host, marks, random);
                    start = Stopwatch.GetTimestamp();
                    await lease.ReleaseAsync(ReleaseMode.Discard, CancellationToken.None);
                }
                else
                {
                    await Task.Delay(random.Next(50), stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (WorktreePoolException e)
            {
                Console.WriteLine($"failed {e.GetType().Name} {e.Message.ReplaceLineEndings(" ")}");
            }

            if (Stopwatch.GetElapsedTime(start) > Bound)
            {
                Tell(marks, $"a call took {Stopwatch.GetElapsedTime(start)}");
            }
        }
    }

    private static async Task WorkAsync(SlotLease lease, string host, string marks, Random random)
    {
        using FileStream? slot = Hold(marks, $"slot-{host}-{lease.Slot}");
        using FileStream? key = Hold(marks, $"key-{lease.Key}");
        if (slot is not null && key is not null)
        {
            File.WriteAllText(Path.Combine(lease.Path, $"job-{Environment.ProcessId}.txt"), lease.Key);
            await Task.Delay(random.Next(400), lease.LostToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static FileStream? Hold(string marks, string what)
    {
        try
        {
            return new FileStream(Path.Combine(marks, what), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            Tell(marks, $"{what} is held twice: {e.Message}");
            return null;
        }
    }

    private static void Tell(string marks, string violation) => File.AppendAllText(Path.Combine(marks, "violations"), violation + "\n");
}
